// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Decodes the simple quantised blocks of GGUF, one block at a time, as the format describes them;
 * {@link SuperBlockDecoder} has the blocks of 256. Kept apart from the decoders that plugins and
 * models use, so that one mistake does not hide another.
 */
final class BlockDecoder {
  static final int[] IQ4_VALUES = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };
  private static final int[] FP4_VALUES = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  private BlockDecoder() {}

  /** Decodes the block at {@code at} into {@code to[start ..]}. */
  static void decode(DataType type, MemorySegment from, long at, float[] to, int start) {
    switch (type) {
      case Q4_0 -> nibbles(from, at + 2, half(from, at), 0, -8, to, start);
      case Q4_1 -> nibbles(from, at + 4, half(from, at), half(from, at + 2), 0, to, start);
      case Q5_0 -> fiveBits(from, at + 2, half(from, at), 0, -16, to, start);
      case Q5_1 -> fiveBits(from, at + 4, half(from, at), half(from, at + 2), 0, to, start);
      case Q8_0 -> {
        float d = half(from, at);
        for (int j = 0; j < 32; j++) {
          to[start + j] = d * from.get(ValueLayout.JAVA_BYTE, at + 2 + j);
        }
      }
      case IQ4_NL -> table(from, at + 2, half(from, at), IQ4_VALUES, to, start);
      case MXFP4 ->
          table(from, at + 1, Math.scalb(1.0f, unsigned(from, at) - 128), FP4_VALUES, to, start);
      case Q2_K -> SuperBlockDecoder.q2(from, at, to, start);
      case Q3_K -> SuperBlockDecoder.q3(from, at, to, start);
      case Q4_K -> SuperBlockDecoder.q4(from, at, to, start);
      case Q5_K -> SuperBlockDecoder.q5(from, at, to, start);
      case Q6_K -> SuperBlockDecoder.q6(from, at, to, start);
      case IQ4_XS -> SuperBlockDecoder.iq4(from, at, to, start);
      default ->
          throw new ConsortException(ErrorCode.INTERNAL, type.label() + " has no blocks to decode");
    }
  }

  private static void nibbles(
      MemorySegment from, long at, float d, float min, int zero, float[] to, int start) {
    for (int j = 0; j < 16; j++) {
      int q = unsigned(from, at + j);
      to[start + j] = d * ((q & 15) + zero) + min;
      to[start + j + 16] = d * ((q >> 4) + zero) + min;
    }
  }

  private static void fiveBits(
      MemorySegment from, long at, float d, float min, int zero, float[] to, int start) {
    int high = from.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    for (int j = 0; j < 16; j++) {
      int q = unsigned(from, at + 4 + j);
      int low = (q & 15) | ((high >>> j) & 1) << 4;
      int upper = (q >> 4) | ((high >>> (j + 16)) & 1) << 4;
      to[start + j] = d * (low + zero) + min;
      to[start + j + 16] = d * (upper + zero) + min;
    }
  }

  static void table(MemorySegment from, long at, float d, int[] values, float[] to, int start) {
    for (int j = 0; j < 16; j++) {
      int q = unsigned(from, at + j);
      to[start + j] = d * values[q & 15];
      to[start + j + 16] = d * values[q >> 4];
    }
  }

  static float half(MemorySegment from, long at) {
    return Float.float16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
  }

  static int unsigned(MemorySegment from, long at) {
    return from.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }
}
