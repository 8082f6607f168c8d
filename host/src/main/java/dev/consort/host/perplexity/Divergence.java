// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Compares a model's probabilities with saved ones: the Kullback-Leibler divergence of these from
 * those, in nats, and how both foretell the text. Not thread safe.
 */
public final class Divergence {
  /** Saved logarithms below this were cut off. */
  private static final float LEAST = -16;

  private final SavedLogits base;
  private final Moments unlikely = new Moments();
  private final Moments divergences = new Moments();
  private final Moments shifts = new Moments();
  private final Moments squaredShifts = new Moments();
  private double[] values = new double[1024];
  private int count;
  private long sameTop;

  private record Row(
      double unlikely, double baseUnlikely, double divergence, double shift, boolean sameTop) {}

  public Divergence(SavedLogits base) {
    this.base = base;
  }

  public void add(MemorySegment[] rows, int[] next) {
    float[][] saved = new float[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      saved[i] = base.next();
    }
    Row[] found = new Row[rows.length];
    IntStream.range(0, rows.length)
        .parallel()
        .forEach(i -> found[i] = row(rows[i], saved[i], next[i]));
    for (Row row : found) {
      add(row);
    }
  }

  private static Row row(MemorySegment logits, float[] base, int next) {
    LogSoftmax softmax = LogSoftmax.of(logits);
    double divergence = 0;
    int top = 0;
    for (int i = 0; i < base.length; i++) {
      top = base[i] > base[top] ? i : top;
      if (base[i] > LEAST) {
        double own = LogSoftmax.at(logits, i) - softmax.norm();
        divergence += Math.exp(base[i]) * (base[i] - own);
      }
    }
    double unlikely = softmax.norm() - LogSoftmax.at(logits, next);
    return new Row(
        unlikely,
        -base[next],
        divergence,
        Math.exp(-unlikely) - Math.exp(base[next]),
        top == softmax.likeliest());
  }

  private void add(Row row) {
    unlikely.add(row.unlikely, row.baseUnlikely);
    divergences.add(row.divergence);
    shifts.add(row.shift);
    squaredShifts.add(row.shift * row.shift);
    sameTop += row.sameTop ? 1 : 0;
    if (count == values.length) {
      values = Arrays.copyOf(values, 2 * count);
    }
    values[count++] = row.divergence;
  }

  public long count() {
    return count;
  }

  public Estimate perplexity() {
    return unlikely.first().exp();
  }

  public Estimate basePerplexity() {
    return unlikely.second().exp();
  }

  /** The logarithm of the perplexity over the saved one's. */
  public Estimate logRatio() {
    return unlikely.difference();
  }

  public Estimate divergence() {
    return divergences.first();
  }

  /**
   * The value that a share of the divergences is not above.
   *
   * @param share 0 for the least, 1 for the greatest
   */
  public double quantile(double share) {
    double[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    double at = share * (count - 1);
    int low = (int) at;
    int high = Math.min(low + 1, count - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }

  /** How far the text's tokens' probabilities went up. */
  public Estimate shift() {
    return shifts.first();
  }

  /** The root of the mean square of how far the tokens' probabilities moved. */
  public Estimate rootMeanSquareShift() {
    Estimate square = squaredShifts.first();
    double root = Math.sqrt(square.mean());
    return new Estimate(root, root == 0 ? 0 : square.error() / (2 * root));
  }

  /** The share of positions where both hold the same token for the likeliest. */
  public Estimate sameTop() {
    double share = (double) sameTop / count;
    return new Estimate(share, count < 2 ? 0 : Math.sqrt(share * (1 - share) / (count - 1)));
  }
}
