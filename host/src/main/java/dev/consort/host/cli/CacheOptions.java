// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.run.EngineOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of a model's cache and batches. */
final class CacheOptions {
  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      description = "Tokens of context; 0 for what the devices' free memory holds.")
  private @Nullable Integer context;

  @Mixin private CacheTypes types = new CacheTypes();

  int microBatch() {
    return types.microBatch();
  }

  /** The options given, over those that a command takes by default. */
  EngineOptions over(EngineOptions defaults) {
    return types.over(defaults).withContext(context == null ? defaults.context() : context);
  }
}
