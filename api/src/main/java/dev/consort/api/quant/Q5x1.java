// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Q5_1: halves d and m, 32 fifth bits, 16 bytes of nibbles; {@code x = d * q + m}. */
final class Q5x1 extends Codec {
  private static final int HALF = 16;

  Q5x1() {
    super(DataType.Q5_1);
  }

  @Override
  void decodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float d = Bytes.f16(source, from);
    float m = Bytes.f16(source, from + 2);
    int fifths = Bytes.i32(source, from + 4);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 8 + i);
      int low = q & 15 | (fifths >>> i & 1) << 4;
      int high = q >> 4 | (fifths >>> i + HALF & 1) << 4;
      Bytes.f32(target, to + 4L * i, d * low + m);
      Bytes.f32(target, to + 4L * (i + HALF), d * high + m);
    }
  }
}
