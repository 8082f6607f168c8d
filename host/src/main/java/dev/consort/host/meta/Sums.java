// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The arithmetic of the host's reduces: terms are added in member order in F32, so whoever computes
 * an element gets the same bits. NaNs are canonical: which one an addition gives is the processor's
 * choice. Used by one thread; makes no garbage.
 *
 * <p>Everything passes through short arrays, which stay in the first cache and whose loops the
 * compiler turns into vector instructions; over segments it doesn't.
 */
final class Sums {
  private static final int BLOCK = 2048;
  private static final int CANONICAL = Float.floatToRawIntBits(Float.NaN);
  private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  private final float[] total = new float[BLOCK];
  private final float[] term = new float[BLOCK];
  private final int[] bits = new int[BLOCK];
  private final short[] halves = new short[BLOCK];
  private final MemorySegment bytesOfTotal = MemorySegment.ofArray(total);
  private final MemorySegment bytesOfTerm = MemorySegment.ofArray(term);
  private final MemorySegment bytesOfBits = MemorySegment.ofArray(bits);

  /**
   * Adds up whole messages.
   *
   * @param type of terms and sum: F32, or BF16 where that travels
   * @param terms one a member
   * @param gives which members have a term
   */
  void reduce(
      DataType type, MemorySegment[] terms, boolean[] gives, MemorySegment sum, long elements) {
    for (long at = 0; at < elements; at += BLOCK) {
      int count = (int) Math.min(BLOCK, elements - at);
      int given = 0;
      for (int m = 0; m < terms.length; m++) {
        if (gives[m] && given++ == 0) {
          load(type, terms[m], at, count, total, bytesOfTotal);
        } else if (gives[m]) {
          load(type, terms[m], at, count, term, bytesOfTerm);
          add(total, term, count);
        }
      }
      if (given == 0) {
        Arrays.fill(total, 0);
      }
      MemorySegment.copy(bytesOfTotal, 0, bytesOfBits, 0, 4L * count);
      canonicalize(bits, count);
      if (type == DataType.BF16) {
        round(bits, halves, count);
        MemorySegment.copy(halves, 0, sum, ValueLayout.JAVA_SHORT, at * 2, count);
      } else {
        MemorySegment.copy(bits, 0, sum, ValueLayout.JAVA_INT, at * 4, count);
      }
    }
  }

  private void load(
      DataType type,
      MemorySegment from,
      long at,
      int count,
      float[] values,
      MemorySegment bytesOfValues) {
    if (type == DataType.BF16) {
      MemorySegment.copy(from, ValueLayout.JAVA_SHORT, at * 2, halves, 0, count);
      widen(halves, bits, count);
      MemorySegment.copy(bytesOfBits, 0, bytesOfValues, 0, 4L * count);
    } else {
      MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, at * 4, values, 0, count);
    }
  }

  private static void add(float[] total, float[] term, int count) {
    for (int i = 0; i < count; i++) {
      total[i] += term[i];
    }
  }

  /** Without a branch: the sign of what infinity leaves is set for NaNs alone. */
  private static void canonicalize(int[] bits, int count) {
    for (int i = 0; i < count; i++) {
      int isNan = (INFINITY - (bits[i] & Integer.MAX_VALUE)) >> 31;
      bits[i] = (bits[i] & ~isNan) | (CANONICAL & isNan);
    }
  }

  private static void widen(short[] halves, int[] bits, int count) {
    for (int i = 0; i < count; i++) {
      bits[i] = halves[i] << 16;
    }
  }

  /** To nearest even; a canonical NaN stays one, since its lower half is zero. */
  private static void round(int[] bits, short[] halves, int count) {
    for (int i = 0; i < count; i++) {
      halves[i] = (short) (bits[i] + 0x7fff + (bits[i] >>> 16 & 1) >>> 16);
    }
  }
}
