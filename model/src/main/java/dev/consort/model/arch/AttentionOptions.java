// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;
import java.util.Optional;

/**
 * How a layer attends.
 *
 * @param rope the position encoding, empty for none
 * @param factors of the encoding's frequencies
 * @param scale of the scores
 * @param softcap of the scores, 0 for none
 * @param window positions that are seen, 0 for all
 */
public record AttentionOptions(
    Optional<Rope> rope, Optional<Tensor> factors, float scale, float softcap, int window) {

  public AttentionOptions rope(Rope other) {
    return new AttentionOptions(Optional.of(other), factors, scale, softcap, window);
  }

  public AttentionOptions factors(Optional<Tensor> others) {
    return new AttentionOptions(rope, others, scale, softcap, window);
  }

  public AttentionOptions withoutRope() {
    return new AttentionOptions(Optional.empty(), factors, scale, softcap, window);
  }

  public AttentionOptions scale(float other) {
    return new AttentionOptions(rope, factors, other, softcap, window);
  }

  public AttentionOptions softcap(float cap) {
    return new AttentionOptions(rope, factors, scale, cap, window);
  }

  public AttentionOptions window(int positions) {
    return new AttentionOptions(rope, factors, scale, softcap, positions);
  }
}
