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

/**
 * Q4_K: a scale of scales and one of offsets, eight of each in six bits, then 256 times four bits.
 */
final class VectorQ4K implements VectorPanel {
  private static final long WEIGHTS = 8 * UNIT;
  private static final long BLOCK = 72 * UNIT;

  /** Units that hold 64 elements, the second half of them in the upper four bits. */
  private static final long RUN = 16 * UNIT;

  private static final long HIGH = 4 * 32;

  /** Where the offsets lie behind the scales. */
  private static final long OFFSETS = 8 * VECTOR;

  @Override
  public int blockElements() {
    return 256;
  }

  @Override
  public void multiply(long panel, long blocks, long x, long sums, long y, long scratch) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      scales(panel, scratch);
      long scale = scratch;
      for (long run = panel + WEIGHTS; run != panel + BLOCK; run += RUN) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        for (long at = run; at != run + RUN; at += UNIT) {
          IntVector unit =
              (IntVector)
                  ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                      .convertShape(ZERO_EXTEND_S2I, INTS, 0);
          low =
              ((FloatVector) unit.and(15).convertShape(I2F, FLOATS, 0))
                  .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x)), low);
          high =
              ((FloatVector) unit.lanewise(LSHR, 4).and(15).convertShape(I2F, FLOATS, 0))
                  .fma(
                      FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + HIGH)), high);
          low =
              ((FloatVector) unit.lanewise(LSHR, 8).and(15).convertShape(I2F, FLOATS, 0))
                  .fma(FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + 4)), low);
          high =
              ((FloatVector) unit.lanewise(LSHR, 12).convertShape(I2F, FLOATS, 0))
                  .fma(
                      FloatVector.broadcast(FLOATS, ALL.get(JAVA_FLOAT_UNALIGNED, x + HIGH + 4)),
                      high);
          x += 8;
        }
        float lowSum =
            ALL.get(JAVA_FLOAT_UNALIGNED, sums) + ALL.get(JAVA_FLOAT_UNALIGNED, sums + 4);
        float highSum =
            ALL.get(JAVA_FLOAT_UNALIGNED, sums + 8) + ALL.get(JAVA_FLOAT_UNALIGNED, sums + 12);
        sum = low.fma(FloatVector.fromMemorySegment(FLOATS, ALL, scale, ORDER), sum);
        sum = high.fma(FloatVector.fromMemorySegment(FLOATS, ALL, scale + VECTOR, ORDER), sum);
        sum =
            FloatVector.fromMemorySegment(FLOATS, ALL, scale + OFFSETS, ORDER)
                .fma(FloatVector.broadcast(FLOATS, lowSum), sum);
        sum =
            FloatVector.fromMemorySegment(FLOATS, ALL, scale + OFFSETS + VECTOR, ORDER)
                .fma(FloatVector.broadcast(FLOATS, highSum), sum);
        x += HIGH;
        sums += 16;
        scale += 2 * VECTOR;
      }
    }
    sum.intoMemorySegment(ALL, y, ORDER);
  }

  @Override
  public void open(long panel, long blocks, long tile, long scratch) {
    for (long end = panel + blocks * BLOCK; panel != end; panel += BLOCK) {
      scales(panel, scratch);
      long scale = scratch;
      for (long run = panel + WEIGHTS; run != panel + BLOCK; run += RUN) {
        FloatVector low = FloatVector.fromMemorySegment(FLOATS, ALL, scale, ORDER);
        FloatVector high = FloatVector.fromMemorySegment(FLOATS, ALL, scale + VECTOR, ORDER);
        FloatVector lowOffset = FloatVector.fromMemorySegment(FLOATS, ALL, scale + OFFSETS, ORDER);
        FloatVector highOffset =
            FloatVector.fromMemorySegment(FLOATS, ALL, scale + OFFSETS + VECTOR, ORDER);
        for (long at = run; at != run + RUN; at += UNIT) {
          IntVector unit =
              (IntVector)
                  ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                      .convertShape(ZERO_EXTEND_S2I, INTS, 0);
          ((FloatVector) unit.and(15).convertShape(I2F, FLOATS, 0))
              .fma(low, lowOffset)
              .intoMemorySegment(ALL, tile, ORDER);
          ((FloatVector) unit.lanewise(LSHR, 8).and(15).convertShape(I2F, FLOATS, 0))
              .fma(low, lowOffset)
              .intoMemorySegment(ALL, tile + 2 * VECTOR, ORDER);
          ((FloatVector) unit.lanewise(LSHR, 4).and(15).convertShape(I2F, FLOATS, 0))
              .fma(high, highOffset)
              .intoMemorySegment(ALL, tile + 64 * VECTOR, ORDER);
          ((FloatVector) unit.lanewise(LSHR, 12).convertShape(I2F, FLOATS, 0))
              .fma(high, highOffset)
              .intoMemorySegment(ALL, tile + 66 * VECTOR, ORDER);
          tile += 4 * VECTOR;
        }
        tile += 64 * VECTOR;
        scale += 2 * VECTOR;
      }
    }
  }

  /**
   * Leaves eight scales and eight offsets, which are negative, at {@code to}. A packed unit holds
   * those of two neighbours: of the first four six bits each, of the others four bits, and two more
   * above those of the first.
   */
  private static void scales(long block, long to) {
    long factors = to + 2 * OFFSETS;
    Lanes.halves(block, UNIT, 2, factors);
    FloatVector scale = FloatVector.fromMemorySegment(FLOATS, ALL, factors, ORDER);
    FloatVector offset = FloatVector.fromMemorySegment(FLOATS, ALL, factors + VECTOR, ORDER).neg();
    for (long at = block + 2 * UNIT; at != block + 4 * UNIT; at += UNIT) {
      IntVector scales =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector offsets =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + 2 * UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector fours =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, at + 4 * UNIT, ORDER)
                  .convertShape(ZERO_EXTEND_S2I, INTS, 0);
      IntVector more = fours.and(0x0f0f).or(scales.lanewise(LSHR, 2).and(0x3030));
      IntVector moreOffsets =
          fours.lanewise(LSHR, 4).and(0x0f0f).or(offsets.lanewise(LSHR, 2).and(0x3030));
      ((FloatVector) scales.and(0x3f).convertShape(I2F, FLOATS, 0))
          .mul(scale)
          .intoMemorySegment(ALL, to, ORDER);
      ((FloatVector) scales.lanewise(LSHR, 8).and(0x3f).convertShape(I2F, FLOATS, 0))
          .mul(scale)
          .intoMemorySegment(ALL, to + VECTOR, ORDER);
      ((FloatVector) offsets.and(0x3f).convertShape(I2F, FLOATS, 0))
          .mul(offset)
          .intoMemorySegment(ALL, to + OFFSETS, ORDER);
      ((FloatVector) offsets.lanewise(LSHR, 8).and(0x3f).convertShape(I2F, FLOATS, 0))
          .mul(offset)
          .intoMemorySegment(ALL, to + OFFSETS + VECTOR, ORDER);
      ((FloatVector) more.and(0xff).convertShape(I2F, FLOATS, 0))
          .mul(scale)
          .intoMemorySegment(ALL, to + 4 * VECTOR, ORDER);
      ((FloatVector) more.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .mul(scale)
          .intoMemorySegment(ALL, to + 5 * VECTOR, ORDER);
      ((FloatVector) moreOffsets.and(0xff).convertShape(I2F, FLOATS, 0))
          .mul(offset)
          .intoMemorySegment(ALL, to + OFFSETS + 4 * VECTOR, ORDER);
      ((FloatVector) moreOffsets.lanewise(LSHR, 8).convertShape(I2F, FLOATS, 0))
          .mul(offset)
          .intoMemorySegment(ALL, to + OFFSETS + 5 * VECTOR, ORDER);
      to += 2 * VECTOR;
    }
  }
}
