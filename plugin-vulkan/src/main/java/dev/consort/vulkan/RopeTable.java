// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Operation.Rope;

/**
 * The angle per position of every pair of a rope operation, with linear and YaRN interpolation
 * (Peng et al., 2023, as ggml applies it) folded in. Made in double precision on the host, since
 * shader powers are not precise.
 */
final class RopeTable {
  private RopeTable() {}

  static float[] angles(Rope rope) {
    int pairs = rope.dims() / 2;
    float[] angles = new float[pairs];
    double low = Math.max(0, Math.floor(corrected(rope, rope.betaFast())));
    double high = Math.min(rope.dims() - 1, Math.ceil(corrected(rope, rope.betaSlow())));
    for (int i = 0; i < pairs; i++) {
      double angle = Math.pow(rope.freqBase(), -2.0 * i / rope.dims());
      double mix = 0;
      if (rope.extFactor() != 0) {
        double ramp = (i - low) / Math.max(0.001, high - low);
        mix = (1 - Math.min(1, Math.max(0, ramp))) * rope.extFactor();
      }
      angles[i] = (float) (angle * (rope.freqScale() * (1 - mix) + mix));
    }
    return angles;
  }

  /** What sines and cosines are multiplied by. */
  static float scale(Rope rope) {
    return rope.extFactor() == 0
        ? rope.attnFactor()
        : (float) (rope.attnFactor() * (1 + 0.1 * Math.log(1 / rope.freqScale())));
  }

  /** The dimension that turns {@code rotations} times over the original context. */
  private static double corrected(Rope rope, double rotations) {
    return rope.dims()
        * Math.log(rope.originalContext() / (rotations * 2 * Math.PI))
        / (2 * Math.log(rope.freqBase()));
  }
}
