// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/**
 * Q3_K: 32 bytes of third bits, 64 bytes of two-bit levels, 12 bytes of sixteen six-bit scales,
 * half d; {@code x = d * (scale - 32) * (q - 4)}.
 */
final class Q3K extends Codec {
  private static final int LEVELS = 32;
  private static final int SCALES = LEVELS + 64;
  private static final int D = SCALES + 12;

  Q3K() {
    super(DataType.Q3_K);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from + D);
    for (int group = 0; group < 16; group++) {
      float scale = d * (scale(source, from + SCALES, group) - 32);
      int half = 16 * (group % 2);
      int levels = from + LEVELS + 32 * (group / 8) + half;
      int shift = group % 8 / 2 * 2;
      int third = group / 2;
      for (int i = 0; i < 16; i++) {
        int low = Bytes.u8(source, levels + i) >> shift & 3;
        int high = Bytes.u8(source, from + half + i) >> third & 1;
        target[to + 16 * group + i] = scale * ((low | high << 2) - 4);
      }
    }
  }

  private static int scale(byte[] source, int scales, int group) {
    int low = Bytes.u8(source, scales + group % 8) >> group / 8 * 4 & 15;
    int high = Bytes.u8(source, scales + 8 + group % 4) >> group / 4 * 2 & 3;
    return low | high << 4;
  }
}
