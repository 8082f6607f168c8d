// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

/**
 * Fits {@code x = scale * q - min}, q in {@code [0, levels]} and min at least 0, to a group of
 * values: several spacings are tried, and for each the weighted least squares give scale and
 * minimum.
 */
record AffineFit(float scale, float min) {
  private static final int TRIALS = 21;
  private static final float FIRST = -1;
  private static final float STEP = 0.1f;

  /** Values matter by their size, so that outliers survive. */
  static AffineFit of(float[] x, int levels) {
    float least = 0;
    float most = x[0];
    double squares = 0;
    for (float v : x) {
      least = Math.min(least, v);
      most = Math.max(most, v);
      squares += (double) v * v;
    }
    if (!(most > least)) {
      return new AffineFit(0, -least);
    }
    float typical = (float) Math.sqrt(squares / x.length);
    AffineFit best = new AffineFit((most - least) / levels, -least);
    double bestError = best.error(x, levels, typical);
    for (int trial = 0; trial < TRIALS; trial++) {
      float inverse = (levels + FIRST + STEP * trial) / (most - least);
      AffineFit fit = solve(x, levels, inverse, least, typical);
      double error = fit.error(x, levels, typical);
      if (error < bestError) {
        best = fit;
        bestError = error;
      }
    }
    return best;
  }

  private static AffineFit solve(float[] x, int levels, float inverse, float least, float typical) {
    double sw = 0;
    double sx = 0;
    double sl = 0;
    double sll = 0;
    double sxl = 0;
    for (float v : x) {
      int q = Codec.clamp(Codec.round(inverse * (v - least)), 0, levels);
      double w = typical + Math.abs(v);
      sw += w;
      sx += w * v;
      sl += w * q;
      sll += w * q * q;
      sxl += w * v * q;
    }
    double determinant = sw * sll - sl * sl;
    if (determinant <= 0) {
      return new AffineFit(1 / inverse, -least);
    }
    double scale = (sw * sxl - sx * sl) / determinant;
    double min = (sl * sxl - sll * sx) / determinant;
    return min < 0
        ? new AffineFit((float) (sxl / sll), 0)
        : new AffineFit((float) scale, (float) min);
  }

  private double error(float[] x, int levels, float typical) {
    double error = 0;
    for (float v : x) {
      double off = scale * level(v, levels) - min - v;
      error += (typical + Math.abs(v)) * off * off;
    }
    return error;
  }

  int level(float x, int levels) {
    return scale == 0 ? 0 : Codec.clamp(Codec.round((x + min) / scale), 0, levels);
  }
}
