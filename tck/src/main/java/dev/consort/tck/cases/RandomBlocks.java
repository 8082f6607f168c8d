// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Quantised blocks of random bits, with scales that keep the elements around 1. */
final class RandomBlocks {
  private RandomBlocks() {}

  static void fill(DataType type, MemorySegment bytes, Random random) {
    byte[] block = new byte[type.blockBytes()];
    for (long at = 0; at < bytes.byteSize(); at += block.length) {
      random.nextBytes(block);
      MemorySegment.copy(block, 0, bytes, ValueLayout.JAVA_BYTE, at, block.length);
      scale(type, bytes.asSlice(at, block.length), random);
    }
  }

  private static void scale(DataType type, MemorySegment block, Random random) {
    switch (type) {
      case Q4_0, Q5_0 -> half(block, 0, random, 0.1);
      case Q8_0, IQ4_NL -> half(block, 0, random, 0.01);
      case Q4_1, Q5_1 -> {
        half(block, 0, random, 0.1);
        half(block, 2, random, -1);
      }
      case Q2_K -> minimum(block, 80, random);
      case Q3_K -> half(block, 108, random, 0.01);
      case Q4_K, Q5_K -> minimum(block, 0, random);
      case Q6_K -> half(block, 208, random, 0.0003);
      case IQ4_XS -> half(block, 0, random, 0.0005);
      case MXFP4 -> block.set(ValueLayout.JAVA_BYTE, 0, (byte) (123 + random.nextInt(4)));
      default -> throw new IllegalArgumentException(type.label() + " has no blocks");
    }
  }

  private static void minimum(MemorySegment block, long at, Random random) {
    half(block, at, random, 0.003);
    half(block, at + 2, random, 0.02);
  }

  private static void half(MemorySegment block, long at, Random random, double scale) {
    short bits = Float.floatToFloat16((float) (scale * (0.5 + 0.5 * random.nextDouble())));
    block.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, bits);
  }
}
