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
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    float m = Bytes.f16(source, from + 2);
    int fifths = Bytes.i32(source, from + 4);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 8 + i);
      int low = q & 15 | (fifths >>> i & 1) << 4;
      int high = q >> 4 | (fifths >>> i + HALF & 1) << 4;
      target[to + i] = d * low + m;
      target[to + i + HALF] = d * high + m;
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    Span span = Span.of(source, from, 2 * HALF, 31);
    Bytes.f16(target, to, span.step());
    Bytes.f16(target, to + 2, span.least());
    int fifths = 0;
    for (int i = 0; i < HALF; i++) {
      int low = span.level(Bytes.f32(source, from + 4L * i));
      int high = span.level(Bytes.f32(source, from + 4L * (i + HALF)));
      fifths |= low >> 4 << i | high >> 4 << i + HALF;
      Bytes.u8(target, to + 8 + i, low & 15 | (high & 15) << 4);
    }
    Bytes.i32(target, to + 4, fifths);
  }
}
