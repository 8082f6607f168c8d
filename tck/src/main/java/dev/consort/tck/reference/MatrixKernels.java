// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import java.util.List;

/** Matrix products. */
final class MatrixKernels {
  private MatrixKernels() {}

  static void matMul(List<Operand> sources, Operand result) {
    Operand w = sources.get(0);
    Operand x = sources.get(1);
    int columns = Math.toIntExact(x.ne(1));
    int rows = Math.toIntExact(w.ne(1));
    for (long i3 = 0; i3 < x.ne(3); i3++) {
      for (long i2 = 0; i2 < x.ne(2); i2++) {
        long w2 = i2 / (x.ne(2) / w.ne(2));
        long w3 = i3 / (x.ne(3) / w.ne(3));
        float[][] activations = new float[columns][];
        for (int n = 0; n < columns; n++) {
          activations[n] = x.row(n, i2, i3);
        }
        float[][] out = new float[columns][rows];
        for (int m = 0; m < rows; m++) {
          float[] weights = w.row(m, w2, w3);
          for (int n = 0; n < columns; n++) {
            out[n][m] = (float) dot(weights, activations[n]);
          }
        }
        for (int n = 0; n < columns; n++) {
          result.putRow(n, i2, i3, out[n]);
        }
      }
    }
  }

  static void matMulId(List<Operand> sources, Operand result) {
    Operand w = sources.get(0);
    Operand x = sources.get(1);
    Operand ids = sources.get(2);
    int rows = Math.toIntExact(w.ne(1));
    for (long t = 0; t < ids.ne(1); t++) {
      for (long u = 0; u < ids.ne(0); u++) {
        float[] out = new float[rows];
        int expert = RowKernels.inRange(ids.index(u, t), w.ne(2), result);
        if (expert >= 0) {
          float[] activations = x.row(x.ne(1) == 1 ? 0 : u, t, 0);
          for (int m = 0; m < rows; m++) {
            out[m] = (float) dot(w.row(m, expert, 0), activations);
          }
        }
        result.putRow(u, t, 0, out);
      }
    }
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
