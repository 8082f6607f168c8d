// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import picocli.CommandLine.Option;

/** How many threads devices may use that run on the host's. */
final class ThreadsOption {
  static final String DESCRIPTION =
      "Threads of a device that runs on the host's; 0 for its own choice.";

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      defaultValue = "0",
      description = DESCRIPTION)
  private int threads;

  int threads() {
    return threads;
  }
}
