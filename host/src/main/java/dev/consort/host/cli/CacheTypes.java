// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.host.run.EngineOptions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of a model's cache and batches, but for the context. */
final class CacheTypes {
  @Option(
      names = {"-ub", "--ubatch-size"},
      paramLabel = "N",
      defaultValue = "512",
      description = "The most tokens of one submission (default: ${DEFAULT-VALUE}).")
  private int microBatch = 512;

  @Option(
      names = {"-ctk", "--cache-type-k"},
      paramLabel = "TYPE",
      description = "Type of the key cache: f32, f16 or bf16.")
  private @Nullable String keys;

  @Option(
      names = {"-ctv", "--cache-type-v"},
      paramLabel = "TYPE",
      description = "Type of the value cache.")
  private @Nullable String values;

  int microBatch() {
    return microBatch;
  }

  /** The options given, over those that a command takes by default. */
  EngineOptions over(EngineOptions defaults) {
    return defaults
        .withMicroBatch(microBatch)
        .withCache(
            keys == null ? defaults.cacheKeys() : type(keys),
            values == null ? defaults.cacheValues() : type(values));
  }

  private static DataType type(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "f32" -> DataType.F32;
      case "f16" -> DataType.F16;
      case "bf16" -> DataType.BF16;
      default ->
          throw new ConsortException(
              ErrorCode.INVALID_ARGUMENT,
              "a cache of type \"%s\" is not known; there are f32, f16 and bf16".formatted(name));
    };
  }
}
