// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.ValueLayout;

/**
 * Floats at addresses: with the Vector API where the module {@code jdk.incubator.vector} is there
 * ({@code --add-modules}), else in plain loops.
 */
final class Vectors {
  /** Bytes that {@link #dot} needs at {@code spill}: the longest vector. */
  static final long SPILL_BYTES = 256;

  /** Whether the Vector API is there. */
  static final boolean PRESENT =
      ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() && VectorLoops.isWide();

  /** Floats of a vector. */
  static final int LANES = PRESENT ? VectorLoops.LANES : 1;

  private Vectors() {}

  static float get(long at) {
    return Memory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
  }

  static void set(long at, float value) {
    Memory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
  }

  /** The sum of products, in an order that depends on nothing but {@code count}. */
  static float dot(long a, long b, long count, long spill) {
    if (PRESENT) {
      return VectorLoops.dot(a, b, count, spill);
    }
    float even = 0;
    float odd = 0;
    long j = 0;
    for (; j + 2 <= count; j += 2) {
      even = Math.fma(get(a + 4 * j), get(b + 4 * j), even);
      odd = Math.fma(get(a + 4 * j + 4), get(b + 4 * j + 4), odd);
    }
    return j < count ? Math.fma(get(a + 4 * j), get(b + 4 * j), even + odd) : even + odd;
  }

  /** {@code y += a * x}. */
  static void addScaled(long y, float a, long x, long count) {
    if (PRESENT) {
      VectorLoops.addScaled(y, a, x, count);
      return;
    }
    for (long j = 0; j < count; j++) {
      set(y + 4 * j, Math.fma(a, get(x + 4 * j), get(y + 4 * j)));
    }
  }

  /** {@code y = a * x}. */
  static void scale(long y, float a, long x, long count) {
    if (PRESENT) {
      VectorLoops.scale(y, a, x, count);
      return;
    }
    for (long j = 0; j < count; j++) {
      set(y + 4 * j, a * get(x + 4 * j));
    }
  }
}
