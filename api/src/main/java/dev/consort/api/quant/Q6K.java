// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/**
 * Q6_K: 128 bytes of low nibbles, 64 bytes of upper two bits, 16 signed scales (of 16 elements
 * each), half d; {@code x = d * scale * (q - 32)}. In each half of 128 elements, element {@code 32
 * k + i} has nibble {@code k / 2} of byte {@code 32 (k % 2) + i} and bits {@code 2 k} of upper byte
 * {@code i}.
 */
final class Q6K extends Codec {
  private static final int GROUPS = 16;
  private static final int SIZE = 16;
  private static final int UPPER = 128;
  private static final int SCALES = UPPER + 64;
  private static final int D = SCALES + GROUPS;

  Q6K() {
    super(DataType.Q6_K);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    float d = Bytes.f16(source, from + D);
    for (int group = 0; group < GROUPS; group++) {
      float scale = d * source[from + SCALES + group];
      int k = group % 8 / 2;
      int low = from + lowByte(group);
      int high = from + highByte(group);
      int out = to + SIZE * group;
      for (int i = 0; i < SIZE; i++) {
        int nibble = Bytes.u8(source, low + i) >> k / 2 * 4 & 15;
        int upper = Bytes.u8(source, high + i) >> 2 * k & 3;
        target[out + i] = scale * ((nibble | upper << 4) - 32);
      }
    }
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float[][] x = new float[GROUPS][SIZE];
    float[] scales = new float[GROUPS];
    float extreme = 0;
    for (int group = 0; group < GROUPS; group++) {
      for (int i = 0; i < SIZE; i++) {
        x[group][i] = Bytes.f32(source, from + 4L * (SIZE * group + i));
      }
      scales[group] = SymmetricFit.scale(x[group], 32);
      extreme = Math.abs(scales[group]) > Math.abs(extreme) ? scales[group] : extreme;
    }
    float d = Bytes.f16(target, to + D, extreme / -128);
    target.asSlice(to, SCALES).fill((byte) 0);
    for (int group = 0; group < GROUPS; group++) {
      int scale = d == 0 ? 0 : clamp(round(scales[group] / d), -128, 127);
      Bytes.u8(target, to + SCALES + group, scale);
      encodeGroup(x[group], d * scale, target, to, group);
    }
  }

  private static void encodeGroup(
      float[] x, float scale, MemorySegment target, long to, int group) {
    int k = group % 8 / 2;
    for (int i = 0; i < SIZE; i++) {
      int q = scale == 0 ? 32 : clamp(round(x[i] / scale), -32, 31) + 32;
      long low = to + lowByte(group) + i;
      long high = to + highByte(group) + i;
      Bytes.u8(target, low, Bytes.u8(target, low) | (q & 15) << k / 2 * 4);
      Bytes.u8(target, high, Bytes.u8(target, high) | q >> 4 << 2 * k);
    }
  }

  private static int lowByte(int group) {
    int k = group % 8 / 2;
    return 64 * (group / 8) + 32 * (k % 2) + SIZE * (group % 2);
  }

  private static int highByte(int group) {
    return UPPER + 32 * (group / 8) + SIZE * (group % 2);
  }
}
