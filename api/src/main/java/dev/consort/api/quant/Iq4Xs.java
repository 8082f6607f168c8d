// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/**
 * IQ4_XS: half d, two upper bits of eight scales (2 bytes), their lower four bits (4 bytes), then
 * for each 32 elements 16 bytes of nibbles; {@code x = d * (scale - 32) * level(q)}.
 */
final class Iq4Xs extends Codec {
  private static final int LOW = 4;
  private static final int LEVELS = LOW + 4;
  private static final int HALF = 16;

  Iq4Xs() {
    super(DataType.IQ4_XS);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    int highs = Bytes.u16(source, from + 2);
    for (int group = 0; group < 8; group++) {
      int low = Bytes.u8(source, from + LOW + group / 2) >> 4 * (group % 2) & 15;
      float scale = d * ((low | (highs >> 2 * group & 3) << 4) - 32);
      int levels = from + LEVELS + HALF * group;
      int out = to + 2 * HALF * group;
      for (int i = 0; i < HALF; i++) {
        int q = Bytes.u8(source, levels + i);
        target[out + i] = scale * Iq4.level(q & 15);
        target[out + i + HALF] = scale * Iq4.level(q >> 4);
      }
    }
  }
}
