// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;

/**
 * The usual choices.
 *
 * @param temperature 0 for always the likeliest token
 * @param topK 0 for all tokens
 * @param topP 1 for all
 * @param minP 0 for all
 * @param seed of the draws: the same seed and logits give the same tokens
 */
public record SamplingOptions(float temperature, int topK, float topP, float minP, long seed) {

  public SamplingOptions {
    require(temperature >= 0 && temperature < 1e6f, "temperature", temperature, "at least 0");
    require(topK >= 0, "top-k", topK, "at least 0");
    require(topP > 0 && topP <= 1, "top-p", topP, "over 0 and up to 1");
    require(minP >= 0 && minP <= 1, "min-p", minP, "from 0 to 1");
  }

  public static SamplingOptions greedy() {
    return new SamplingOptions(0, 0, 1, 0, 0);
  }

  private static void require(boolean holds, String name, Object found, String expected) {
    if (!holds) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %s %s, expected a number %s".formatted(name, found, expected));
    }
  }
}
