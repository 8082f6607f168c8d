// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Q8_0: half d, 32 signed bytes; {@code x = d * q}. */
final class Q8x0 extends Codec {
  private static final int SIZE = 32;

  Q8x0() {
    super(DataType.Q8_0);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    for (int i = 0; i < SIZE; i++) {
      target[to + i] = d * source[from + 2 + i];
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float most = 0;
    for (int i = 0; i < SIZE; i++) {
      most = Math.max(most, Math.abs(Bytes.f32(source, from + 4L * i)));
    }
    float d = most / 127;
    float inverse = d == 0 ? 0 : 1 / d;
    Bytes.f16(target, to, d);
    for (int i = 0; i < SIZE; i++) {
      Bytes.u8(target, to + 2 + i, round(Bytes.f32(source, from + 4L * i) * inverse));
    }
  }
}
