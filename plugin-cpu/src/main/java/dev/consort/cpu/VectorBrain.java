// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static dev.consort.cpu.Lanes.FLOATS;
import static dev.consort.cpu.Lanes.INTS;
import static dev.consort.cpu.Lanes.ORDER;
import static dev.consort.cpu.Lanes.SHORTS;
import static dev.consort.cpu.Lanes.UNIT;
import static dev.consort.cpu.Lanes.VECTOR;
import static dev.consort.cpu.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** BF16: a unit is an element. */
final class VectorBrain implements VectorPanel {
  private static final int BLOCK_ELEMENTS = 16;

  @Override
  public int blockElements() {
    return BLOCK_ELEMENTS;
  }

  @Override
  public void multiply(long panel, long blocks, long x, long sums, long y, long scratch) {
    FloatVector a = FloatVector.zero(FLOATS);
    FloatVector b = a;
    long end = panel + blocks * BLOCK_ELEMENTS * UNIT;
    for (long at = panel; at != end; at += 2 * UNIT) {
      IntVector first =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector second =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      a =
          first
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), a);
      b =
          second
              .lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), b);
      x += 8;
    }
    a.add(b).intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    long end = panel + blocks * BLOCK_ELEMENTS * UNIT;
    for (long at = panel; at != end; at += UNIT) {
      IntVector unit =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      unit.lanewise(LSHL, 16).reinterpretAsFloats().intoMemorySegment(ALL, tile, ORDER);
      tile += 2 * VECTOR;
    }
  }
}
