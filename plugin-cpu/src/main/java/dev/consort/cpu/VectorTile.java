// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static dev.consort.cpu.Lanes.FLOATS;
import static dev.consort.cpu.Lanes.ORDER;
import static dev.consort.cpu.Lanes.VECTOR;
import static dev.consort.cpu.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import jdk.incubator.vector.FloatVector;

/** Two panels of floats times six columns; only touched where the Vector API is. */
final class VectorTile {
  private VectorTile() {}

  /**
   * Adds to the sums of each column, two vectors a column.
   *
   * @param w element by element, two vectors each
   * @param x element by element, six floats each
   */
  static void multiply(long w, long x, long count, long sums) {
    FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums, ORDER);
    FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + VECTOR, ORDER);
    FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 2 * VECTOR, ORDER);
    FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 3 * VECTOR, ORDER);
    FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 4 * VECTOR, ORDER);
    FloatVector b2 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 5 * VECTOR, ORDER);
    FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 6 * VECTOR, ORDER);
    FloatVector b3 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 7 * VECTOR, ORDER);
    FloatVector a4 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 8 * VECTOR, ORDER);
    FloatVector b4 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 9 * VECTOR, ORDER);
    FloatVector a5 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 10 * VECTOR, ORDER);
    FloatVector b5 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 11 * VECTOR, ORDER);
    for (long end = w + 2 * count * VECTOR; w < end; w += 2 * VECTOR) {
      FloatVector a = FloatVector.fromMemorySegment(FLOATS, ALL, w, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(FLOATS, ALL, w + VECTOR, ORDER);
      FloatVector c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x));
      a0 = a.fma(c, a0);
      b0 = b.fma(c, b0);
      c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4));
      a1 = a.fma(c, a1);
      b1 = b.fma(c, b1);
      c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 8));
      a2 = a.fma(c, a2);
      b2 = b.fma(c, b2);
      c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 12));
      a3 = a.fma(c, a3);
      b3 = b.fma(c, b3);
      c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 16));
      a4 = a.fma(c, a4);
      b4 = b.fma(c, b4);
      c = FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 20));
      a5 = a.fma(c, a5);
      b5 = b.fma(c, b5);
      x += 4 * PortablePacking.TILE_COLUMNS;
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + VECTOR, ORDER);
    a1.intoMemorySegment(ALL, sums + 2 * VECTOR, ORDER);
    b1.intoMemorySegment(ALL, sums + 3 * VECTOR, ORDER);
    a2.intoMemorySegment(ALL, sums + 4 * VECTOR, ORDER);
    b2.intoMemorySegment(ALL, sums + 5 * VECTOR, ORDER);
    a3.intoMemorySegment(ALL, sums + 6 * VECTOR, ORDER);
    b3.intoMemorySegment(ALL, sums + 7 * VECTOR, ORDER);
    a4.intoMemorySegment(ALL, sums + 8 * VECTOR, ORDER);
    b4.intoMemorySegment(ALL, sums + 9 * VECTOR, ORDER);
    a5.intoMemorySegment(ALL, sums + 10 * VECTOR, ORDER);
    b5.intoMemorySegment(ALL, sums + 11 * VECTOR, ORDER);
  }
}
