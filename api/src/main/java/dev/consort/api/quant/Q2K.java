// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/**
 * Q2_K: 16 bytes (scale and minimum of 16 elements each, four bits), 64 bytes of two-bit levels,
 * halves d and dmin; {@code x = d * scale * q - dmin * min}.
 */
final class Q2K extends Codec {
  private static final int LEVELS = 16;
  private static final int D = LEVELS + 64;

  Q2K() {
    super(DataType.Q2_K);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from + D);
    float dmin = Bytes.f16(source, from + D + 2);
    for (int group = 0; group < 16; group++) {
      int packed = Bytes.u8(source, from + group);
      float scale = d * (packed & 15);
      float min = dmin * (packed >> 4);
      int levels = from + LEVELS + 32 * (group / 8) + 16 * (group % 2);
      int shift = group % 8 / 2 * 2;
      for (int i = 0; i < 16; i++) {
        int q = Bytes.u8(source, levels + i) >> shift & 3;
        target[to + 16 * group + i] = scale * q - min;
      }
    }
  }
}
