// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Q5_0: half d, 32 fifth bits, 16 bytes of nibbles; {@code x = d * (q - 16)}. */
final class Q5x0 extends Codec {
  private static final int HALF = 16;

  Q5x0() {
    super(DataType.Q5_0);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    int fifths = Bytes.i32(source, from + 2);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 6 + i);
      int low = q & 15 | (fifths >>> i & 1) << 4;
      int high = q >> 4 | (fifths >>> i + HALF & 1) << 4;
      target[to + i] = d * (low - 16);
      target[to + i + HALF] = d * (high - 16);
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float extreme = 0;
    for (int i = 0; i < 2 * HALF; i++) {
      float x = Bytes.f32(source, from + 4L * i);
      extreme = Math.abs(x) > Math.abs(extreme) ? x : extreme;
    }
    float d = extreme / -16;
    float inverse = d == 0 ? 0 : 1 / d;
    Bytes.f16(target, to, d);
    int fifths = 0;
    for (int i = 0; i < HALF; i++) {
      int low = level(Bytes.f32(source, from + 4L * i) * inverse);
      int high = level(Bytes.f32(source, from + 4L * (i + HALF)) * inverse);
      fifths |= low >> 4 << i | high >> 4 << i + HALF;
      Bytes.u8(target, to + 6 + i, low & 15 | (high & 15) << 4);
    }
    Bytes.i32(target, to + 2, fifths);
  }

  private static int level(float x) {
    return clamp((int) (x + 16.5f), 0, 31);
  }
}
