// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.model.sampling.SamplingOptions;
import picocli.CommandLine.Option;

/** Options that say how tokens are chosen. */
final class SamplingArguments {
  @Option(
      names = "--temp",
      paramLabel = "T",
      defaultValue = "0",
      description = "Temperature; 0 always takes the likeliest token (default: ${DEFAULT-VALUE}).")
  private float temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "40",
      description = "Sample from the N likeliest; 0 for all (default: ${DEFAULT-VALUE}).")
  private int topK = 40;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "0.95",
      description = "Sample from the likeliest that reach this share (default: ${DEFAULT-VALUE}).")
  private float topP = 0.95f;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0.05",
      description =
          "Leave out what is less than this times as likely as the likeliest (default:"
              + " ${DEFAULT-VALUE}).")
  private float minP = 0.05f;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same text (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  SamplingOptions options() {
    return new SamplingOptions(temperature, topK, topP, minP, seed);
  }
}
