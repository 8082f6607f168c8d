// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

/**
 * Fits {@code x = scale * q}, q in {@code [-levels, levels - 1]}, to a group of values: several
 * spacings are tried, and for each the least squares, weighted by the values' squares, give the
 * scale.
 */
final class SymmetricFit {
  private static final int TRIALS = 9;
  private static final float STEP = 0.1f;

  private SymmetricFit() {}

  static float scale(float[] x, int levels) {
    float extreme = 0;
    for (float v : x) {
      extreme = Math.abs(v) > Math.abs(extreme) ? v : extreme;
    }
    if (extreme == 0) {
      return 0;
    }
    float best = 0;
    double bestGain = -1;
    for (int trial = -TRIALS; trial <= TRIALS; trial++) {
      float inverse = -(levels + STEP * trial) / extreme;
      double sxl = 0;
      double sll = 0;
      for (float v : x) {
        int q = Codec.clamp(Codec.round(inverse * v), -levels, levels - 1);
        double w = (double) v * v;
        sxl += w * v * q;
        sll += w * q * q;
      }
      if (sll > 0 && sxl * sxl > bestGain * sll) {
        bestGain = sxl * sxl / sll;
        best = (float) (sxl / sll);
      }
    }
    return best;
  }
}
