// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Loops with the Vector API; only touched where its module is. As {@link Lanes} has it. */
final class VectorLoops {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  static final int LANES = SPECIES.length();

  private VectorLoops() {}

  /** Whether this processor has vectors of a useful length. */
  static boolean isWide() {
    return LANES >= 4;
  }

  /**
   * The sum of products. Lanes are added one by one from memory: reducing a vector of floats has no
   * defined order, and interpreted and compiled code would differ.
   */
  static float dot(long a, long b, long count, long spill) {
    FloatVector even = FloatVector.zero(SPECIES);
    FloatVector odd = FloatVector.zero(SPECIES);
    long j = 0;
    for (; j + 2L * LANES <= count; j += 2L * LANES) {
      FloatVector x = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, a + 4 * j, ORDER);
      FloatVector y = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, b + 4 * j, ORDER);
      even = x.fma(y, even);
      x = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, a + 4 * (j + LANES), ORDER);
      y = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, b + 4 * (j + LANES), ORDER);
      odd = x.fma(y, odd);
    }
    even.add(odd).intoMemorySegment(Memory.ALL, spill, ORDER);
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += Vectors.get(spill + 4L * lane);
    }
    for (; j < count; j++) {
      sum += Vectors.get(a + 4 * j) * Vectors.get(b + 4 * j);
    }
    return sum;
  }

  /** {@code y += a * x}. */
  static void addScaled(long y, float a, long x, long count) {
    long j = 0;
    for (; j + LANES <= count; j += LANES) {
      FloatVector sum = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, y + 4 * j, ORDER);
      FloatVector scaled = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, x + 4 * j, ORDER);
      scaled
          .fma(FloatVector.broadcast(SPECIES, a), sum)
          .intoMemorySegment(Memory.ALL, y + 4 * j, ORDER);
    }
    for (; j < count; j++) {
      Vectors.set(y + 4 * j, Vectors.get(y + 4 * j) + a * Vectors.get(x + 4 * j));
    }
  }

  /** {@code y = a * x}. */
  static void scale(long y, float a, long x, long count) {
    long j = 0;
    for (; j + LANES <= count; j += LANES) {
      FloatVector value = FloatVector.fromMemorySegment(SPECIES, Memory.ALL, x + 4 * j, ORDER);
      value.mul(a).intoMemorySegment(Memory.ALL, y + 4 * j, ORDER);
    }
    for (; j < count; j++) {
      Vectors.set(y + 4 * j, a * Vectors.get(x + 4 * j));
    }
  }
}
