// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Q4_1: halves d and m, 16 bytes of nibbles; {@code x = d * q + m}. */
final class Q4x1 extends Codec {
  private static final int HALF = 16;

  Q4x1() {
    super(DataType.Q4_1);
  }

  @Override
  void decodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float d = Bytes.f16(source, from);
    float m = Bytes.f16(source, from + 2);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 4 + i);
      Bytes.f32(target, to + 4L * i, d * (q & 15) + m);
      Bytes.f32(target, to + 4L * (i + HALF), d * (q >> 4) + m);
    }
  }
}
