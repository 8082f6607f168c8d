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
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.S2I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** F16: a unit is an element; see {@link Lanes#halves}. */
final class VectorHalf implements VectorPanel {
  private static final int BLOCK_ELEMENTS = 16;
  private static final int PLACES = Lanes.F16_PLACES;
  private static final float BIAS = Lanes.F16_BIAS;
  private static final float BEYOND = Lanes.BEYOND_F16;
  private static final int INFINITY = Lanes.INFINITY;

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
      IntVector bits =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER).convertShape(S2I, INTS, 0);
      FloatVector value = bits.lanewise(LSHL, 13).and(PLACES).reinterpretAsFloats().mul(BIAS);
      IntVector whole =
          value
              .reinterpretAsInts()
              .lanewise(OR, INFINITY, value.abs().compare(GE, BEYOND).cast(INTS));
      a =
          whole
              .reinterpretAsFloats()
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), a);
      bits =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + UNIT, ORDER)
                  .convertShape(S2I, INTS, 0);
      value = bits.lanewise(LSHL, 13).and(PLACES).reinterpretAsFloats().mul(BIAS);
      whole =
          value
              .reinterpretAsInts()
              .lanewise(OR, INFINITY, value.abs().compare(GE, BEYOND).cast(INTS));
      b =
          whole
              .reinterpretAsFloats()
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), b);
      x += 8;
    }
    a.add(b).intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    Lanes.halves(panel, UNIT, blocks * BLOCK_ELEMENTS, tile, 2 * VECTOR);
  }
}
