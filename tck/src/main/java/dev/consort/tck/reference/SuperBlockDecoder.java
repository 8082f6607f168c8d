// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import static dev.consort.tck.reference.BlockDecoder.half;
import static dev.consort.tck.reference.BlockDecoder.unsigned;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Decodes GGUF's blocks of 256 elements: the K types and IQ4_XS. */
final class SuperBlockDecoder {
  private SuperBlockDecoder() {}

  static void q2(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at + 80);
    float min = half(from, at + 82);
    for (int group = 0; group < 16; group++) {
      int scale = unsigned(from, at + group);
      long quants = at + 16 + (group / 8) * 32 + (group % 2) * 16;
      int shift = (group % 8) / 2 * 2;
      for (int l = 0; l < 16; l++) {
        int q = (unsigned(from, quants + l) >> shift) & 3;
        to[start + group * 16 + l] = d * (scale & 15) * q - min * (scale >> 4);
      }
    }
  }

  static void q3(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at + 108);
    for (int group = 0; group < 16; group++) {
      float scale = d * (q3Scale(from, at + 96, group) - 32);
      long mask = at + (group % 2) * 16;
      long quants = at + 32 + (group / 8) * 32 + (group % 2) * 16;
      int shift = (group % 8) / 2 * 2;
      for (int l = 0; l < 16; l++) {
        int low = (unsigned(from, quants + l) >> shift) & 3;
        int high = (unsigned(from, mask + l) >> (group / 2)) & 1;
        to[start + group * 16 + l] = scale * (low + 4 * high - 4);
      }
    }
  }

  /** Six bits: four low ones in the first 8 bytes, two high ones in the last 4. */
  private static int q3Scale(MemorySegment from, long at, int group) {
    int low = unsigned(from, at + group % 8) >> (group / 8 * 4) & 15;
    int high = unsigned(from, at + 8 + group % 4) >> (group / 4 * 2) & 3;
    return low | high << 4;
  }

  static void q4(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at);
    float min = half(from, at + 2);
    for (int group = 0; group < 8; group++) {
      float scale = d * scale(from, at + 4, group);
      float minimum = min * minimum(from, at + 4, group);
      long quants = at + 16 + group / 2 * 32;
      for (int l = 0; l < 32; l++) {
        int q = unsigned(from, quants + l) >> (group % 2 * 4) & 15;
        to[start + group * 32 + l] = scale * q - minimum;
      }
    }
  }

  static void q5(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at);
    float min = half(from, at + 2);
    for (int group = 0; group < 8; group++) {
      float scale = d * scale(from, at + 4, group);
      float minimum = min * minimum(from, at + 4, group);
      long quants = at + 48 + group / 2 * 32;
      for (int l = 0; l < 32; l++) {
        int low = unsigned(from, quants + l) >> (group % 2 * 4) & 15;
        int high = unsigned(from, at + 16 + l) >> group & 1;
        to[start + group * 32 + l] = scale * (low + 16 * high) - minimum;
      }
    }
  }

  /** The six-bit scales of Q4_K and Q5_K: eight scales and eight minima in 12 bytes. */
  private static int scale(MemorySegment from, long at, int group) {
    return group < 4
        ? unsigned(from, at + group) & 63
        : (unsigned(from, at + group + 4) & 15) | (unsigned(from, at + group - 4) >> 6) << 4;
  }

  private static int minimum(MemorySegment from, long at, int group) {
    return group < 4
        ? unsigned(from, at + group + 4) & 63
        : (unsigned(from, at + group + 4) >> 4) | (unsigned(from, at + group) >> 6) << 4;
  }

  static void q6(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at + 208);
    for (int i = 0; i < 256; i++) {
      int part = i / 128;
      int quarter = i % 128 / 32;
      int l = i % 32;
      int low = unsigned(from, at + part * 64 + quarter % 2 * 32 + l) >> (quarter / 2 * 4) & 15;
      int high = unsigned(from, at + 128 + part * 32 + l) >> (quarter * 2) & 3;
      byte scale = from.get(ValueLayout.JAVA_BYTE, at + 192 + part * 8 + quarter * 2 + l / 16);
      to[start + i] = d * scale * ((low | high << 4) - 32);
    }
  }

  static void iq4(MemorySegment from, long at, float[] to, int start) {
    float d = half(from, at);
    int high = from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2);
    for (int group = 0; group < 8; group++) {
      int low = unsigned(from, at + 4 + group / 2) >> (group % 2 * 4) & 15;
      float scale = d * ((low | (high >> (2 * group) & 3) << 4) - 32);
      BlockDecoder.table(
          from, at + 8 + group * 16, scale, BlockDecoder.IQ4_VALUES, to, start + group * 32);
    }
  }
}
