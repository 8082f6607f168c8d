// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Operation;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Operations that look at whole rows, or sum over an axis. */
final class ReductionKernels {
  private ReductionKernels() {}

  static void rmsNorm(Operation.RmsNorm op, List<Operand> sources, Operand result) {
    Operand x = sources.get(0);
    ElementKernels.forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] row = x.row(i1, i2, i3);
          double scale = 1 / Math.sqrt(MatrixKernels.dot(row, row) / row.length + op.eps());
          for (int i = 0; i < row.length; i++) {
            row[i] = (float) (row[i] * scale);
          }
          return row;
        });
  }

  static void softMax(List<Operand> sources, Operand result) {
    Operand x = sources.get(0);
    ElementKernels.forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] row = x.row(i1, i2, i3);
          double max = Double.NEGATIVE_INFINITY;
          for (float value : row) {
            max = Math.max(max, value);
          }
          double sum = 0;
          double[] weights = new double[row.length];
          for (int i = 0; i < row.length; i++) {
            weights[i] = Math.exp(row[i] - max);
            sum += weights[i];
          }
          for (int i = 0; i < row.length; i++) {
            row[i] = (float) (weights[i] / sum);
          }
          return row;
        });
  }

  static void sum(Operation.Sum op, List<Operand> sources, Operand result) {
    Operand x = sources.get(0);
    ElementKernels.forEachRow(
        result,
        (i1, i2, i3) -> {
          double[] sums = new double[Math.toIntExact(result.ne(0))];
          for (long j = 0; j < (op.axis() == 0 ? 1 : x.ne(op.axis())); j++) {
            float[] row =
                x.row(op.axis() == 1 ? j : i1, op.axis() == 2 ? j : i2, op.axis() == 3 ? j : i3);
            for (int i = 0; i < row.length; i++) {
              sums[op.axis() == 0 ? 0 : i] += row[i];
            }
          }
          float[] out = new float[sums.length];
          for (int i = 0; i < out.length; i++) {
            out[i] = (float) sums[i];
          }
          return out;
        });
  }

  static void topK(Operation.TopK op, List<Operand> sources, Operand result) {
    Operand x = sources.get(0);
    for (long t = 0; t < x.ne(1); t++) {
      int[] best = new int[op.k()];
      if (sources.size() == 2 && sources.get(1).index(1, t) == 0) {
        Arrays.fill(best, -1);
      } else {
        float[] row = x.row(t, 0, 0);
        best =
            IntStream.range(0, row.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> -row[i]).thenComparing(i -> i))
                .limit(op.k())
                .mapToInt(i -> i)
                .toArray();
      }
      for (int k = 0; k < best.length; k++) {
        result.putIndex(k, t, 0, 0, best[k]);
      }
    }
  }
}
