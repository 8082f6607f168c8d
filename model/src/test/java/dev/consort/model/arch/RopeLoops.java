// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation;
import dev.consort.api.Tensor;

/** Rotary position embedding with YaRN's interpolation, in plain loops. */
final class RopeLoops {
  private RopeLoops() {}

  static float[] rope(Tensor node, Operation.Rope op, float[][] in) {
    int length = (int) node.ne(0);
    int heads = (int) node.ne(1);
    float[] x = in[0];
    float[] y = x.clone();
    for (int row = 0; row < x.length / length; row++) {
      double position = in[1][row / heads];
      for (int pair = 0; pair < op.dims() / 2; pair++) {
        double factor = in.length > 2 ? in[2][pair] : 1;
        double angle = position * Math.pow(op.freqBase(), -2.0 * pair / op.dims()) / factor;
        double mix = mix(op, pair);
        double theta = op.freqScale() * angle * (1 - mix) + angle * mix;
        double size = op.attnFactor();
        if (op.extFactor() != 0) {
          size *= 1 + 0.1 * Math.log(1 / op.freqScale());
        }
        boolean norm = op.mode() == Operation.Rope.Mode.NORM;
        int a = row * length + (norm ? 2 * pair : pair);
        int b = norm ? a + 1 : a + op.dims() / 2;
        double cos = Math.cos(theta) * size;
        double sin = Math.sin(theta) * size;
        y[a] = (float) (x[a] * cos - x[b] * sin);
        y[b] = (float) (x[a] * sin + x[b] * cos);
      }
    }
    return y;
  }

  private static double mix(Operation.Rope op, int pair) {
    if (op.extFactor() == 0) {
      return 0;
    }
    double low = Math.max(0, Math.floor(correction(op, op.betaFast())));
    double high = Math.min(op.dims() - 1, Math.ceil(correction(op, op.betaSlow())));
    double ramp = (pair - low) / Math.max(0.001, high - low);
    return (1 - Math.clamp(ramp, 0, 1)) * op.extFactor();
  }

  private static double correction(Operation.Rope op, double rotations) {
    return op.dims()
        * Math.log(op.originalContext() / (rotations * 2 * Math.PI))
        / (2 * Math.log(op.freqBase()));
  }
}
