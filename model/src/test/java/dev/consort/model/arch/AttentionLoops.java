// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation;
import dev.consort.api.Tensor;

/** Attention over a cache, in plain loops. */
final class AttentionLoops {
  private AttentionLoops() {}

  static float[] attention(Tensor node, Operation.Attention op, float[][] in) {
    int d = (int) node.source(0).ne(0);
    int heads = (int) node.ne(1);
    int kvHeads = (int) node.source(1).ne(1);
    int dv = (int) node.ne(0);
    int cells = (int) node.source(1).ne(2);
    float[] y = new float[(int) node.shape().elements()];
    for (int row = 0; row < y.length / dv; row++) {
      int token = row / heads;
      int head = row % heads;
      int kvHead = head / (heads / kvHeads);
      double[] score = new double[cells];
      double most = in.length > 6 ? in[6][head] : Double.NEGATIVE_INFINITY;
      for (int s = 0; s < cells; s++) {
        score[s] = Double.NEGATIVE_INFINITY;
        if (visible(op, in, token, s)) {
          double dot = 0;
          for (int i = 0; i < d; i++) {
            dot += (double) in[0][row * d + i] * in[1][(s * kvHeads + kvHead) * d + i];
          }
          dot *= op.scale();
          score[s] = op.softcap() > 0 ? op.softcap() * Math.tanh(dot / op.softcap()) : dot;
          most = Math.max(most, score[s]);
        }
      }
      double sum = in.length > 6 ? Math.exp(in[6][head] - most) : 0;
      double[] out = new double[dv];
      for (int s = 0; s < cells; s++) {
        if (score[s] > Double.NEGATIVE_INFINITY) {
          double share = Math.exp(score[s] - most);
          sum += share;
          for (int i = 0; i < dv; i++) {
            out[i] += share * in[2][(s * kvHeads + kvHead) * dv + i];
          }
        }
      }
      for (int i = 0; i < dv; i++) {
        y[row * dv + i] = sum == 0 ? 0 : (float) (out[i] / sum);
      }
    }
    return y;
  }

  private static boolean visible(Operation.Attention op, float[][] in, int token, int cell) {
    float[] queries = in[3];
    float[] cells = in[4];
    float behind = queries[2 * token] - cells[2 * cell];
    return cell < in[5][0]
        && ((int) queries[2 * token + 1] & (int) cells[2 * cell + 1]) != 0
        && behind >= 0
        && (op.window() == 0 || behind < op.window());
  }
}
