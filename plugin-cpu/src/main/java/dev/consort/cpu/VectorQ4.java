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
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Q4_0: a scale, then 32 times four bits, of which eight is zero. */
final class VectorQ4 implements VectorPanel {
  private static final long BLOCK = 9 * UNIT;
  private static final long HIGH = 4 * 16;

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public void multiply(long panel, long blocks, long x, long sums, long y, long scratch) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      Lanes.halves(panel, UNIT, 1, scratch);
      FloatVector a =
          FloatVector.broadcast(
              FLOATS,
              -8 * (ALL.get(JAVA_FLOAT_UNALIGNED, sums) + ALL.get(JAVA_FLOAT_UNALIGNED, sums + 4)));
      FloatVector b = FloatVector.zero(FLOATS);
      for (long at = panel + UNIT; at != panel + BLOCK; at += UNIT) {
        IntVector unit =
            (IntVector)
                ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                    .convertShape(ZERO_EXTEND_S2I, INTS, 0);
        a =
            ((FloatVector) unit.and(15).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), a);
        b =
            ((FloatVector) unit.lanewise(LSHR, 4).and(15).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + HIGH)), b);
        a =
            ((FloatVector) unit.lanewise(LSHR, 8).and(15).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), a);
        b =
            ((FloatVector) unit.lanewise(LSHR, 12).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + HIGH + 4)), b);
        x += 8;
      }
      sum = a.add(b).fma(FloatVector.fromMemorySegment(FLOATS, ALL, scratch, ORDER), sum);
      x += HIGH;
      sums += 8;
    }
    sum.intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      Lanes.halves(panel, UNIT, 1, scratch);
      FloatVector scale = FloatVector.fromMemorySegment(FLOATS, ALL, scratch, ORDER);
      FloatVector offset = scale.mul(-8);
      for (long at = panel + UNIT; at != panel + BLOCK; at += UNIT) {
        IntVector unit =
            (IntVector)
                ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                    .convertShape(ZERO_EXTEND_S2I, INTS, 0);
        ((FloatVector) unit.and(15).convertShape(I2F, FLOATS, 0))
            .fma(scale, offset)
            .intoMemorySegment(ALL, tile, ORDER);
        ((FloatVector) unit.lanewise(LSHR, 8).and(15).convertShape(I2F, FLOATS, 0))
            .fma(scale, offset)
            .intoMemorySegment(ALL, tile + 2 * VECTOR, ORDER);
        ((FloatVector) unit.lanewise(LSHR, 4).and(15).convertShape(I2F, FLOATS, 0))
            .fma(scale, offset)
            .intoMemorySegment(ALL, tile + 32 * VECTOR, ORDER);
        ((FloatVector) unit.lanewise(LSHR, 12).convertShape(I2F, FLOATS, 0))
            .fma(scale, offset)
            .intoMemorySegment(ALL, tile + 34 * VECTOR, ORDER);
        tile += 4 * VECTOR;
      }
      tile += 32 * VECTOR;
    }
  }
}
