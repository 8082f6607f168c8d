// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.run.EngineOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How many tokens the cache holds. */
final class ContextOption {
  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      description = "Tokens of context; 0 for what the devices' free memory holds.")
  private @Nullable Integer context;

  /** The option if it was given, over what a command takes by default. */
  EngineOptions over(EngineOptions defaults) {
    return context == null ? defaults : defaults.withContext(context);
  }
}
