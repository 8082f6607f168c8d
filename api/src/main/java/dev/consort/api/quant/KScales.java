// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import java.lang.foreign.MemorySegment;

/** The twelve bytes in which Q4_K and Q5_K keep eight six-bit scales and eight six-bit minimums. */
final class KScales {
  static final int GROUPS = 8;
  static final int SIZE = 32;

  private KScales() {}

  static int scale(byte[] s, int at, int group) {
    return group < 4
        ? Bytes.u8(s, at + group) & 63
        : Bytes.u8(s, at + group + 4) & 15 | Bytes.u8(s, at + group - 4) >> 6 << 4;
  }

  static int min(byte[] s, int at, int group) {
    return group < 4
        ? Bytes.u8(s, at + group + 4) & 63
        : Bytes.u8(s, at + group + 4) >> 4 | Bytes.u8(s, at + group) >> 6 << 4;
  }

  static void pack(MemorySegment s, long at, int[] scales, int[] mins) {
    for (int i = 0; i < 4; i++) {
      Bytes.u8(s, at + i, scales[i] | scales[i + 4] >> 4 << 6);
      Bytes.u8(s, at + i + 4, mins[i] | mins[i + 4] >> 4 << 6);
      Bytes.u8(s, at + i + 8, scales[i + 4] & 15 | (mins[i + 4] & 15) << 4);
    }
  }
}
