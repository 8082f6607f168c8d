// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

/** The filters there are. */
public final class Samplers {
  private Samplers() {}

  /** Leaves the likeliest token alone. */
  public static Sampler greedy() {
    return candidates -> candidates.keepBest(1);
  }

  /** Leaves the {@code k} likeliest; all for 0. */
  public static Sampler topK(int k) {
    return candidates -> {
      if (k > 0) {
        candidates.keepBest(k);
      }
    };
  }

  /** Leaves the likeliest that together reach the share {@code p} (Holtzman et al., 2019). */
  public static Sampler topP(float p) {
    return candidates -> {
      if (p < 1) {
        candidates.keepShare(p);
      }
    };
  }

  /** Leaves those at least {@code p} times as likely as the likeliest (Nguyen et al., 2024). */
  public static Sampler minP(float p) {
    float below = (float) Math.log(p);
    return candidates -> {
      if (p > 0) {
        candidates.keepFrom(candidates.logit(candidates.best()) + below);
      }
    };
  }

  /** Divides all logits; 0 is greedy. */
  public static Sampler temperature(float temperature) {
    return temperature <= 0
        ? greedy()
        : candidates -> {
          for (int i = 0; i < candidates.size(); i++) {
            candidates.logit(i, candidates.logit(i) / temperature);
          }
        };
  }
}
