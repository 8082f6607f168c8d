// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Operation;
import java.util.List;

/**
 * Rotary position embedding (Su et al., 2021) with YaRN's ramp between interpolated and
 * extrapolated angles (Peng et al., 2023).
 */
final class RopeKernel {
  private RopeKernel() {}

  static void run(Operation.Rope op, List<Operand> sources, Operand result) {
    Operand x = sources.get(0);
    Operand positions = sources.get(1);
    float[] factors = sources.size() == 3 ? sources.get(2).row(0, 0, 0) : new float[0];
    ElementKernels.forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] row = x.row(i1, i2, i3);
          rotate(op, row, positions.index(i2, 0), factors);
          return row;
        });
  }

  private static void rotate(Operation.Rope op, float[] row, int position, float[] factors) {
    int pairs = op.dims() / 2;
    for (int pair = 0; pair < pairs; pair++) {
      double extrapolated =
          position
              * Math.pow(op.freqBase(), -2.0 * pair / op.dims())
              / (factors.length == 0 ? 1 : factors[pair]);
      double angle = op.freqScale() * extrapolated;
      double magnitude = op.attnFactor();
      if (op.extFactor() != 0) {
        double share = ramp(op, pair) * op.extFactor();
        angle = angle * (1 - share) + extrapolated * share;
        magnitude *= 1 + 0.1 * Math.log(1 / op.freqScale());
      }
      int a = op.mode() == Operation.Rope.Mode.NORM ? 2 * pair : pair;
      int b = op.mode() == Operation.Rope.Mode.NORM ? 2 * pair + 1 : pair + pairs;
      double cos = Math.cos(angle) * magnitude;
      double sin = Math.sin(angle) * magnitude;
      double p = row[a];
      double q = row[b];
      row[a] = (float) (p * cos - q * sin);
      row[b] = (float) (p * sin + q * cos);
    }
  }

  private static double ramp(Operation.Rope op, int pair) {
    double low = Math.max(0, Math.floor(dimension(op, op.betaFast())));
    double high = Math.min(op.dims() - 1, Math.ceil(dimension(op, op.betaSlow())));
    double y = (pair - low) / Math.max(0.001, high - low);
    return 1 - Math.clamp(y, 0, 1);
  }

  /** The dimension whose wave turns {@code turns} times over the original context. */
  private static double dimension(Operation.Rope op, double turns) {
    return op.dims()
        * Math.log(op.originalContext() / (turns * 2 * Math.PI))
        / (2 * Math.log(op.freqBase()));
  }
}
