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
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    float m = Bytes.f16(source, from + 2);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 4 + i);
      target[to + i] = d * (q & 15) + m;
      target[to + i + HALF] = d * (q >> 4) + m;
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    Span span = Span.of(source, from, 2 * HALF, 15);
    Bytes.f16(target, to, span.step());
    Bytes.f16(target, to + 2, span.least());
    for (int i = 0; i < HALF; i++) {
      int low = span.level(Bytes.f32(source, from + 4L * i));
      int high = span.level(Bytes.f32(source, from + 4L * (i + HALF)));
      Bytes.u8(target, to + 4 + i, low | high << 4);
    }
  }
}
