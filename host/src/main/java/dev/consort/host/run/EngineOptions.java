// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;

/**
 * How a model is run.
 *
 * @param context cells of the cache, which all sequences share; 0 for as many as the model knows
 *     and the devices' free memory holds
 * @param microBatch the most tokens of one submission
 * @param sequences the most sequences at a time, 1 to 31
 * @param cacheKeys type of the key cache
 * @param cacheValues type of the value cache
 */
public record EngineOptions(
    int context, int microBatch, int sequences, DataType cacheKeys, DataType cacheValues) {

  public EngineOptions {
    if (context < 0 || microBatch < 1 || sequences < 1 || sequences > 31) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found context %d, micro-batch %d, %d sequences; expected 0 or more, 1 or more, 1 to 31"
              .formatted(context, microBatch, sequences));
    }
  }

  /** One sequence, micro-batches of 512, an F16 cache as large as fits. */
  public static EngineOptions defaults() {
    return new EngineOptions(0, 512, 1, DataType.F16, DataType.F16);
  }

  public EngineOptions withContext(int cells) {
    return new EngineOptions(cells, microBatch, sequences, cacheKeys, cacheValues);
  }

  public EngineOptions withMicroBatch(int tokens) {
    return new EngineOptions(context, tokens, sequences, cacheKeys, cacheValues);
  }

  public EngineOptions withSequences(int count) {
    return new EngineOptions(context, microBatch, count, cacheKeys, cacheValues);
  }

  public EngineOptions withCache(DataType keys, DataType values) {
    return new EngineOptions(context, microBatch, sequences, keys, values);
  }
}
