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
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Q8_0: a scale, then 32 bytes. */
final class VectorQ8 implements VectorPanel {
  private static final long BLOCK = 17 * UNIT;

  @Override
  public int blockElements() {
    return 32;
  }

  @Override
  public void multiply(long panel, long blocks, long x, long sums, long y, long scratch) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      Lanes.halves(panel, UNIT, 1, scratch);
      FloatVector a = FloatVector.zero(FLOATS);
      FloatVector b = a;
      for (long at = panel + UNIT; at != panel + BLOCK; at += 2 * UNIT) {
        IntVector first =
            (IntVector)
                ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER).convertShape(S2I, INTS, 0);
        IntVector second =
            (IntVector)
                ShortVector.fromMemorySegment(SHORTS, ALL, at + UNIT, ORDER)
                    .convertShape(S2I, INTS, 0);
        a =
            ((FloatVector) first.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), a);
        b =
            ((FloatVector) first.lanewise(ASHR, 8).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), b);
        a =
            ((FloatVector)
                    second.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 8)), a);
        b =
            ((FloatVector) second.lanewise(ASHR, 8).convertShape(I2F, FLOATS, 0))
                .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 12)), b);
        x += 16;
      }
      sum = a.add(b).fma(FloatVector.fromMemorySegment(FLOATS, ALL, scratch, ORDER), sum);
    }
    sum.intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      Lanes.halves(panel, UNIT, 1, scratch);
      FloatVector scale = FloatVector.fromMemorySegment(FLOATS, ALL, scratch, ORDER);
      for (long at = panel + UNIT; at != panel + BLOCK; at += UNIT) {
        IntVector unit =
            (IntVector)
                ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER).convertShape(S2I, INTS, 0);
        ((FloatVector) unit.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, FLOATS, 0))
            .mul(scale)
            .intoMemorySegment(ALL, tile, ORDER);
        ((FloatVector) unit.lanewise(ASHR, 8).convertShape(I2F, FLOATS, 0))
            .mul(scale)
            .intoMemorySegment(ALL, tile + 2 * VECTOR, ORDER);
        tile += 4 * VECTOR;
      }
    }
  }
}
