// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/**
 * Q5_K: as Q4_K, with 32 bytes of fifth bits (bit g of byte i belongs to element i of group g)
 * between scales and nibbles.
 */
final class Q5K extends Codec {
  private static final int FIFTHS = KEncoder.SCALES + 12;
  private static final int LEVELS = FIFTHS + 32;

  Q5K() {
    super(DataType.Q5_K);
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
        int low = Bytes.u8(source, levels + i) >> shift & 15;
        int fifth = Bytes.u8(source, from + FIFTHS + i) >> group & 1;
        target[out + i] = scale * (low | fifth << 4) - min;
      }
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    int[] q = KEncoder.encode(source, from, target, to, 31);
    for (int i = 0; i < KScales.SIZE; i++) {
      int fifths = 0;
      for (int group = 0; group < KScales.GROUPS; group++) {
        fifths |= q[group * KScales.SIZE + i] >> 4 << group;
      }
      Bytes.u8(target, to + FIFTHS + i, fifths);
    }
    for (int i = 0; i < q.length / 2; i++) {
      int first = i / KScales.SIZE * 2 * KScales.SIZE + i % KScales.SIZE;
      Bytes.u8(target, to + LEVELS + i, q[first] & 15 | (q[first + KScales.SIZE] & 15) << 4);
    }
  }
}
