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
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Q6_K: 256 times four bits, their two upper bits, a signed scale for each sixteen, and a scale of
 * scales. Of six bits 32 is zero. The scales lie first, then units as they are read together; see
 * {@link PortablePanels}.
 */
final class VectorQ6K implements VectorPanel {
  private static final long WEIGHTS = 9 * UNIT;
  private static final long BLOCK = 105 * UNIT;

  /** Units that hold sixteen elements, and as many of each of the next three 32. */
  private static final long RUN = 24 * UNIT;

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public void multiply(long panel, long blocks, long x, long sums, long y, long scratch) {
    FloatVector.zero(FLOATS).intoMemorySegment(ALL, y, ORDER);
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      scales(panel, scratch);
      for (int run = 0; run < 4; run++) {
        long group = group(run);
        long at = panel + WEIGHTS + run * RUN;
        multiplyRun(at, x + 64 * group, sums + 4 * group, scratch + group * VECTOR, y);
      }
      x += 4 * 256;
      sums += 4 * 16;
    }
  }

  /** A run's first sixteen elements. */
  private static long group(int run) {
    return 8 * (run / 2) + run % 2;
  }

  private static void multiplyRun(long at, long x, long sums, long scale, long y) {
    FloatVector a = FloatVector.broadcast(FLOATS, -32 * ALL.get(JAVA_FLOAT_UNALIGNED, sums));
    FloatVector b = FloatVector.broadcast(FLOATS, -32 * ALL.get(JAVA_FLOAT_UNALIGNED, sums + 8));
    FloatVector c = FloatVector.broadcast(FLOATS, -32 * ALL.get(JAVA_FLOAT_UNALIGNED, sums + 16));
    FloatVector d = FloatVector.broadcast(FLOATS, -32 * ALL.get(JAVA_FLOAT_UNALIGNED, sums + 24));
    for (long end = at + RUN; at != end; at += 3 * UNIT) {
      IntVector first =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector second =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector two =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + 2 * UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector pair = first.and(0x0f0f).or(two.lanewise(LSHL, 4).and(0x3030));
      a =
          ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), a);
      a =
          ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), a);
      pair = second.and(0x0f0f).or(two.lanewise(LSHL, 2).and(0x3030));
      b =
          ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 128)), b);
      b =
          ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 132)), b);
      pair = first.lanewise(LSHR, 4).and(0x0f0f).or(two.and(0x3030));
      c =
          ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 256)), c);
      c =
          ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 260)), c);
      pair = second.lanewise(LSHR, 4).and(0x0f0f).or(two.lanewise(LSHR, 2).and(0x3030));
      d =
          ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 384)), d);
      d =
          ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
              .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 388)), d);
      x += 8;
    }
    FloatVector sum =
        a.fma(
            FloatVector.fromMemorySegment(FLOATS, ALL, scale, ORDER),
            FloatVector.fromMemorySegment(FLOATS, ALL, y, ORDER));
    sum = b.fma(FloatVector.fromMemorySegment(FLOATS, ALL, scale + 2 * VECTOR, ORDER), sum);
    sum = c.fma(FloatVector.fromMemorySegment(FLOATS, ALL, scale + 4 * VECTOR, ORDER), sum);
    d.fma(FloatVector.fromMemorySegment(FLOATS, ALL, scale + 6 * VECTOR, ORDER), sum)
        .intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      scales(panel, scratch);
      for (int run = 0; run < 4; run++) {
        long group = group(run);
        long at = panel + WEIGHTS + run * RUN;
        openRun(at, tile + 32 * group * VECTOR, scratch + group * VECTOR);
      }
      tile += 2 * 256 * VECTOR;
    }
  }

  private static void openRun(long at, long tile, long scale) {
    FloatVector a = FloatVector.fromMemorySegment(FLOATS, ALL, scale, ORDER);
    FloatVector b = FloatVector.fromMemorySegment(FLOATS, ALL, scale + 2 * VECTOR, ORDER);
    FloatVector c = FloatVector.fromMemorySegment(FLOATS, ALL, scale + 4 * VECTOR, ORDER);
    FloatVector d = FloatVector.fromMemorySegment(FLOATS, ALL, scale + 6 * VECTOR, ORDER);
    for (long end = at + RUN; at != end; at += 3 * UNIT) {
      IntVector first =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector second =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector two =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + 2 * UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector pair = first.and(0x0f0f).or(two.lanewise(LSHL, 4).and(0x3030));
      ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(a)
          .intoMemorySegment(ALL, tile, ORDER);
      ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(a)
          .intoMemorySegment(ALL, tile + 2 * VECTOR, ORDER);
      pair = second.and(0x0f0f).or(two.lanewise(LSHL, 2).and(0x3030));
      ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(b)
          .intoMemorySegment(ALL, tile + 64 * VECTOR, ORDER);
      ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(b)
          .intoMemorySegment(ALL, tile + 66 * VECTOR, ORDER);
      pair = first.lanewise(LSHR, 4).and(0x0f0f).or(two.and(0x3030));
      ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(c)
          .intoMemorySegment(ALL, tile + 128 * VECTOR, ORDER);
      ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(c)
          .intoMemorySegment(ALL, tile + 130 * VECTOR, ORDER);
      pair = second.lanewise(LSHR, 4).and(0x0f0f).or(two.lanewise(LSHR, 2).and(0x3030));
      ((FloatVector) pair.and(0xff).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(d)
          .intoMemorySegment(ALL, tile + 192 * VECTOR, ORDER);
      ((FloatVector) pair.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .sub(32)
          .mul(d)
          .intoMemorySegment(ALL, tile + 194 * VECTOR, ORDER);
      tile += 4 * VECTOR;
    }
  }

  /** Leaves sixteen scales at {@code to}. */
  private static void scales(long block, long to) {
    Lanes.halves(block, UNIT, 1, to);
    FloatVector factor = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
    for (long at = block + UNIT; at != block + WEIGHTS; at += UNIT) {
      IntVector pair =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER).convertShape(S2I, INTS, 0);
      ((FloatVector) pair.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, FLOATS, 0))
          .mul(factor)
          .intoMemorySegment(ALL, to, ORDER);
      ((FloatVector) pair.lanewise(ASHR, 8).convertShape(I2F, FLOATS, 0))
          .mul(factor)
          .intoMemorySegment(ALL, to + VECTOR, ORDER);
      to += 2 * VECTOR;
    }
  }
}
