// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/** IQ4_NL: half d, 16 bytes of nibbles; {@code x = d * level(q)}. */
final class Iq4Nl extends Codec {
  private static final int HALF = 16;

  Iq4Nl() {
    super(DataType.IQ4_NL);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    for (int i = 0; i < HALF; i++) {
      int q = Bytes.u8(source, from + 2 + i);
      target[to + i] = d * Iq4.level(q & 15);
      target[to + i + HALF] = d * Iq4.level(q >> 4);
    }
  }
}
