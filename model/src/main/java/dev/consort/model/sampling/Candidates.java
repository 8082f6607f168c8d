// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tokens that may come next with their logits, in storage that is made once. Each is one number
 * whose order is that of the logits, the lower token first among equals, so that the same logits
 * give the same token everywhere. Not thread safe.
 */
public final class Candidates {
  private final long[] packed;
  private int size;
  private boolean sorted;

  public Candidates(int vocabulary) {
    this.packed = new long[vocabulary];
  }

  /**
   * Takes the logits of all tokens; those that are no number can't come next.
   *
   * @throws ConsortException DEVICE_FAILED if no token is left
   */
  public void load(MemorySegment logits, long offset) {
    size = 0;
    sorted = false;
    for (int id = 0; id < packed.length; id++) {
      float logit = logits.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + 4L * id);
      if (logit > Float.NEGATIVE_INFINITY) {
        packed[size++] = pack(id, logit);
      }
    }
    if (size == 0) {
      throw new ConsortException(
          ErrorCode.DEVICE_FAILED,
          "all "
              + packed.length
              + " logits are NaN or -Infinity, expected numbers; the weights are damaged or a"
              + " device computes wrongly, try another device");
    }
  }

  public int size() {
    return size;
  }

  /** The token at a place. */
  public int id(int index) {
    return ~(int) packed[index];
  }

  public float logit(int index) {
    int bits = (int) (packed[index] >> 32);
    return Float.intBitsToFloat(bits < 0 ? bits ^ Integer.MAX_VALUE : bits);
  }

  /** Changes a logit; the order of all must stay as it is. */
  void logit(int index, float logit) {
    packed[index] = pack(id(index), logit);
  }

  /** Keeps the first ones. */
  void truncate(int count) {
    size = Math.min(size, count);
  }

  /** Keeps those whose logit is at least this, in their order. */
  void keepFrom(float least) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (logit(i) >= least) {
        packed[kept++] = packed[i];
      }
    }
    size = kept;
  }

  /** The place of the likeliest. */
  public int best() {
    int best = 0;
    for (int i = 1; !sorted && i < size; i++) {
      best = packed[i] > packed[best] ? i : best;
    }
    return best;
  }

  /** Keeps the {@code count} likeliest, in descending order. */
  void keepBest(int count) {
    int kept = Math.min(count, size);
    if (!sorted) {
      for (int i = kept / 2 - 1; i >= 0; i--) {
        sinkSmall(i, kept);
      }
      for (int i = kept; i < size; i++) {
        if (packed[i] > packed[0]) {
          packed[0] = packed[i];
          sinkSmall(0, kept);
        }
      }
      for (int end = kept - 1; end > 0; end--) {
        swap(0, end);
        sinkSmall(0, end);
      }
      sorted = true;
    }
    size = kept;
  }

  /**
   * Keeps the likeliest, in descending order, up to the first with which their weights {@code
   * exp(logit - most)} reach {@code share} of all.
   */
  void keepShare(double share) {
    float most = logit(best());
    double limit = 0;
    for (int i = 0; i < size; i++) {
      limit += weight(i, most);
    }
    limit *= share;
    int kept = 0;
    double reached = 0;
    if (sorted) {
      while (kept < size && (kept == 0 || reached < limit)) {
        reached += weight(kept++, most);
      }
    } else {
      for (int i = size / 2 - 1; i >= 0; i--) {
        sinkLarge(i, size);
      }
      while (kept < size && (kept == 0 || reached < limit)) {
        reached += weight(0, most);
        kept++;
        swap(0, size - kept);
        sinkLarge(0, size - kept);
      }
      reverseToFront(kept);
      sorted = true;
    }
    size = kept;
  }

  /** {@code exp(logit - most)}; among infinite logits all weigh the same. */
  double weight(int index, float most) {
    float logit = logit(index);
    return logit == most ? 1 : Math.exp((double) logit - most);
  }

  private void reverseToFront(int kept) {
    for (int i = 0, j = size - 1; i < kept && i < j; i++, j--) {
      swap(i, j);
    }
  }

  private void sinkSmall(int from, int end) {
    int at = from;
    for (int child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && packed[child + 1] < packed[child]) {
        child++;
      }
      if (packed[at] <= packed[child]) {
        return;
      }
      swap(at, child);
      at = child;
    }
  }

  private void sinkLarge(int from, int end) {
    int at = from;
    for (int child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && packed[child + 1] > packed[child]) {
        child++;
      }
      if (packed[at] >= packed[child]) {
        return;
      }
      swap(at, child);
      at = child;
    }
  }

  private void swap(int a, int b) {
    long kept = packed[a];
    packed[a] = packed[b];
    packed[b] = kept;
  }

  private static long pack(int id, float logit) {
    int bits = Float.floatToRawIntBits(logit + 0f);
    int ordered = bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
    return (long) ordered << 32 | ~id & 0xffff_ffffL;
  }
}
