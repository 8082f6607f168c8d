// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;

/** Reads the position encoding's parameters. */
final class RopeReader {
  private static final float BASE = 10_000;
  private static final float BETA_FAST = 32;
  private static final float BETA_SLOW = 1;
  private static final double YARN_GROWTH = 0.1;
  private static final int MOST_CONTEXT = 1 << 30;

  private RopeReader() {}

  static Rope read(Keys keys, Hyperparameters p, Rope.Mode mode) {
    String type = keys.string("rope.scaling.type").orElse("linear");
    float factor = keys.real("rope.scaling.factor", keys.real("rope.scale_linear", 0));
    boolean yarn = type.equals("yarn");
    float scale = type.equals("none") || factor <= 0 ? 1 : 1 / factor;
    int dims = keys.count("rope.dimension_count", p.keyLength(), p.keyLength());
    float base = keys.real("rope.freq_base", BASE);
    if (dims % 2 != 0 || base <= 0) {
      throw keys.metadata()
          .invalid(
              keys.name("rope.dimension_count"), dims + " with base " + base, "even, base over 0");
    }
    return new Operation.Rope(
        mode,
        dims,
        base,
        scale,
        yarn ? keys.real("rope.scaling.yarn_ext_factor", 1) : 0,
        keys.real("rope.scaling.attn_factor", 1) * (yarn ? magnitude(keys, factor) : 1),
        keys.real("rope.scaling.yarn_beta_fast", BETA_FAST),
        keys.real("rope.scaling.yarn_beta_slow", BETA_SLOW),
        originalContext(keys));
  }

  /** The context that the model had before it was stretched. */
  static int originalContext(Keys keys) {
    int own = keys.count("rope.scaling.original_context_length", MOST_CONTEXT, 0);
    return own == 0 ? keys.count("context_length", MOST_CONTEXT) : own;
  }

  /**
   * What files with a multiplier of their own want beside YaRN's usual {@code 1 + 0.1 log(factor)},
   * which the operation puts in.
   */
  private static float magnitude(Keys keys, float factor) {
    float multiplier = keys.real("rope.scaling.yarn_log_multiplier", 0);
    return multiplier == 0 || factor <= 1
        ? 1
        : (float) (1 / (1 + YARN_GROWTH * multiplier * Math.log(factor)));
  }
}
