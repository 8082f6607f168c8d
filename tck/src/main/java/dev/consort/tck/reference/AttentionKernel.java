// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Operation;
import java.util.Arrays;
import java.util.List;

/** Attention over a cache, one query and head at a time. */
final class AttentionKernel {
  private AttentionKernel() {}

  static void run(Operation.Attention op, List<Operand> sources, Operand result) {
    if (result.tensor().shape().isEmpty()) {
      return;
    }
    Operand q = sources.get(0);
    Operand k = sources.get(1);
    Operand v = sources.get(2);
    long group = q.ne(1) / k.ne(1);
    float[] sinks = sources.size() == 7 ? sources.get(6).row(0, 0, 0) : new float[0];
    for (long t = 0; t < q.ne(2); t++) {
      int[] cells = visible(op, sources, t);
      for (int h = 0; h < q.ne(1); h++) {
        float[] query = q.row(h, t, 0);
        double[] scores = new double[cells.length];
        double max = sinks.length == 0 ? Double.NEGATIVE_INFINITY : sinks[h];
        for (int i = 0; i < cells.length; i++) {
          double score = MatrixKernels.dot(query, k.row(h / group, cells[i], 0)) * op.scale();
          scores[i] = op.softcap() > 0 ? op.softcap() * Math.tanh(score / op.softcap()) : score;
          max = Math.max(max, scores[i]);
        }
        double denominator = sinks.length == 0 ? 0 : Math.exp(sinks[h] - max);
        double[] sums = new double[Math.toIntExact(v.ne(0))];
        for (int i = 0; i < cells.length; i++) {
          double weight = Math.exp(scores[i] - max);
          denominator += weight;
          float[] value = v.row(h / group, cells[i], 0);
          for (int d = 0; d < sums.length; d++) {
            sums[d] += weight * value[d];
          }
        }
        float[] out = new float[sums.length];
        for (int d = 0; d < out.length && cells.length > 0; d++) {
          out[d] = (float) (sums[d] / denominator);
        }
        result.putRow(h, t, 0, out);
      }
    }
  }

  private static int[] visible(Operation.Attention op, List<Operand> sources, long t) {
    Operand queries = sources.get(3);
    Operand cells = sources.get(4);
    int live = Math.min(sources.get(5).index(0, 0), Math.toIntExact(cells.ne(1)));
    int position = queries.index(0, t);
    int sequences = queries.index(1, t);
    int[] seen = new int[Math.max(0, live)];
    int count = 0;
    for (int s = 0; s < live; s++) {
      long behind = (long) position - cells.index(0, s);
      if ((cells.index(1, s) & sequences) != 0
          && behind >= 0
          && (op.window() == 0 || behind < op.window())) {
        seen[count++] = s;
      }
    }
    return Arrays.copyOf(seen, count);
  }
}
