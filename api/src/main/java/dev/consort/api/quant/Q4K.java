// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/**
 * Q4_K: halves d and dmin, {@link KScales}, 128 bytes of nibbles (the low ones are 32 elements, the
 * high ones the next 32); {@code x = d * scale * q - dmin * min}.
 */
final class Q4K extends Codec {
  private static final int LEVELS = KEncoder.SCALES + 12;

  Q4K() {
    super(DataType.Q4_K);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from);
    float dmin = Bytes.f16(source, from + 2);
    for (int group = 0; group < KScales.GROUPS; group++) {
      float scale = d * KScales.scale(source, from + KEncoder.SCALES, group);
      float min = dmin * KScales.min(source, from + KEncoder.SCALES, group);
      int levels = from + LEVELS + KScales.SIZE * (group / 2);
      int shift = 4 * (group % 2);
      int out = to + KScales.SIZE * group;
      for (int i = 0; i < KScales.SIZE; i++) {
        int q = Bytes.u8(source, levels + i) >> shift & 15;
        target[out + i] = scale * q - min;
      }
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    int[] q = KEncoder.encode(source, from, target, to, 15);
    for (int i = 0; i < q.length / 2; i++) {
      int first = i / KScales.SIZE * 2 * KScales.SIZE + i % KScales.SIZE;
      Bytes.u8(target, to + LEVELS + i, q[first] | q[first + KScales.SIZE] << 4);
    }
  }
}
