// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/**
 * MXFP4 (OCP Microscaling Formats 1.0): one byte e, 16 bytes of E2M1 nibbles; {@code x = 2^(e -
 * 127) * q}.
 */
final class Mxfp4 extends Codec {
  private static final int HALF = 16;

  /** Twice the values of E2M1. */
  private static final int[] TWICE = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  Mxfp4() {
    super(DataType.MXFP4);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = half(Bytes.u8(source, from));
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 1 + i);
      target[to + i] = d * TWICE[q & 15];
      target[to + i + HALF] = d * TWICE[q >> 4];
    }
  }

  /** {@code 2^(e - 128)}; the two smallest are subnormal. */
  private static float half(int e) {
    return Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : e - 1 << 23);
  }
}
