// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The arithmetic of the host's reduces: terms are added in member order in F32, so whoever computes
 * an element gets the same bits. NaNs are canonical: which one an addition gives is the processor's
 * choice.
 */
final class Sums {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;

  private Sums() {}

  /**
   * Adds up elements {@code [from, to)}.
   *
   * @param type of terms and sum: F32, or BF16 where that travels
   * @param terms one a member
   * @param gives which members have a term
   */
  static void reduce(
      DataType type,
      MemorySegment[] terms,
      boolean[] gives,
      MemorySegment sum,
      long from,
      long to) {
    if (type == DataType.BF16) {
      reduceBf16(terms, gives, sum, from, to);
    } else {
      reduceF32(terms, gives, sum, from, to);
    }
  }

  private static void reduceF32(
      MemorySegment[] terms, boolean[] gives, MemorySegment sum, long from, long to) {
    boolean first = true;
    for (int m = 0; m < terms.length; m++) {
      if (gives[m] && first) {
        MemorySegment.copy(terms[m], from * 4, sum, from * 4, (to - from) * 4);
        first = false;
      } else if (gives[m]) {
        add(sum, terms[m], from, to);
      }
    }
    for (long i = from; i < to; i++) {
      float value = sum.getAtIndex(FLOAT, i);
      if (value != value) {
        sum.setAtIndex(FLOAT, i, Float.NaN);
      }
    }
  }

  private static void add(MemorySegment sum, MemorySegment term, long from, long to) {
    for (long i = from; i < to; i++) {
      sum.setAtIndex(FLOAT, i, sum.getAtIndex(FLOAT, i) + term.getAtIndex(FLOAT, i));
    }
  }

  /** Terms of half the bytes, their sum in F32, and that rounded to nearest even. */
  private static void reduceBf16(
      MemorySegment[] terms, boolean[] gives, MemorySegment sum, long from, long to) {
    for (long i = from; i < to; i++) {
      float total = 0;
      for (int m = 0; m < terms.length; m++) {
        if (gives[m]) {
          total += Float.intBitsToFloat(terms[m].getAtIndex(SHORT, i) << 16);
        }
      }
      int bits = Float.floatToIntBits(total);
      int rounded = total != total ? bits : bits + 0x7fff + (bits >>> 16 & 1);
      sum.setAtIndex(SHORT, i, (short) (rounded >>> 16));
    }
  }
}
