// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;

/**
 * How a mixture of experts chooses and computes.
 *
 * @param weighting of the chosen experts
 * @param activation between their projections
 */
public record ExpertOptions(Weighting weighting, Glu activation) {

  /** Where the softmax stands. */
  public enum Weighting {
    /** Over all experts; the chosen ones' shares are scaled to a sum of 1. */
    NORMALIZED_SHARE,
    /** Over the chosen experts' scores. */
    SOFTMAX_OF_CHOSEN
  }

  /** The usual kind: normalised shares and SwiGLU. */
  public static ExpertOptions usual() {
    return new ExpertOptions(Weighting.NORMALIZED_SHARE, new Glu(Glu.Kind.SWIGLU, 0, 0));
  }
}
