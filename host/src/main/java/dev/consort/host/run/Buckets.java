// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The numbers of tokens that plans are made for: powers of two up to the micro-batch. A run of
 * tokens is cut into buckets so that little is padded and few steps are needed.
 */
final class Buckets {
  private Buckets() {}

  /** The bucket for the next step when {@code tokens} are left: padded if that wastes little. */
  static int next(int tokens, int microBatch) {
    if (tokens >= microBatch) {
      return microBatch;
    }
    int above = Integer.highestOneBit(tokens);
    if (above < tokens) {
      above *= 2;
    }
    above = Math.min(above, microBatch);
    boolean wastesLittle = above <= 4 || above - tokens <= above / 8;
    return wastesLittle ? above : Integer.highestOneBit(tokens);
  }

  /** How many rows of logits a plan gives: one, a power of two, or all. */
  static int outputs(int wanted, int tokens) {
    if (wanted <= 1) {
      return 1;
    }
    int above = Integer.highestOneBit(wanted);
    return Math.min(tokens, above < wanted ? above * 2 : above);
  }

  /** The number of the first bucket that holds so many: 0 for one, 2 for three or four. */
  static int index(int count) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
  }

  /** By {@link #index}, what of {@code most} elements the bucket takes, from the first on. */
  static MemorySegment[] beginnings(MemorySegment elements, int most) {
    long bytes = elements.byteSize() / most;
    MemorySegment[] cut = new MemorySegment[index(most) + 1];
    Arrays.setAll(cut, i -> elements.asSlice(0, bytes * Math.min(1 << i, most)));
    return cut;
  }
}
