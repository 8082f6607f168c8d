// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Q4_0: half d, 16 bytes of nibbles; {@code x = d * (q - 8)}. */
final class Q4x0 extends Codec {
  private static final int HALF = 16;

  Q4x0() {
    super(DataType.Q4_0);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 2 + i);
      target[to + i] = d * ((q & 15) - 8);
      target[to + i + HALF] = d * ((q >> 4) - 8);
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float extreme = 0;
    for (int i = 0; i < 2 * HALF; i++) {
      float x = Bytes.f32(source, from + 4L * i);
      extreme = Math.abs(x) > Math.abs(extreme) ? x : extreme;
    }
    float d = extreme / -8;
    float inverse = d == 0 ? 0 : 1 / d;
    Bytes.f16(target, to, d);
    for (int i = 0; i < HALF; i++) {
      int low = level(Bytes.f32(source, from + 4L * i) * inverse);
      int high = level(Bytes.f32(source, from + 4L * (i + HALF)) * inverse);
      Bytes.u8(target, to + 2 + i, low | high << 4);
    }
  }

  private static int level(float x) {
    return clamp((int) (x + 8.5f), 0, 15);
  }
}
