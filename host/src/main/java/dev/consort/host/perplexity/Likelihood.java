// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** Sums up how unlikely the text was. Not thread safe. */
public final class Likelihood {
  private final Moments moments = new Moments();

  public void add(MemorySegment[] rows, int[] next) {
    double[] unlikely = new double[rows.length];
    IntStream.range(0, rows.length)
        .parallel()
        .forEach(
            i -> unlikely[i] = LogSoftmax.of(rows[i]).norm() - LogSoftmax.at(rows[i], next[i]));
    for (double each : unlikely) {
      moments.add(each);
    }
  }

  /** Tokens so far. */
  public long count() {
    return moments.count();
  }

  /** The exponential of the mean of the negative logarithms of the tokens' probabilities. */
  public Estimate perplexity() {
    return moments.first().exp();
  }
}
