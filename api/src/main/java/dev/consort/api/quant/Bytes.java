// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian scalars at any address, and floats in the machine's order. */
final class Bytes {
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int u8(byte[] s, int at) {
    return s[at] & 0xff;
  }

  static int u16(byte[] s, int at) {
    return s[at] & 0xff | (s[at + 1] & 0xff) << 8;
  }

  static int i32(byte[] s, int at) {
    return u16(s, at) | u16(s, at + 2) << 16;
  }

  static float f16(byte[] s, int at) {
    return Float.float16ToFloat((short) u16(s, at));
  }

  static int u8(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }

  static float f32(MemorySegment s, long at) {
    return s.get(FLOAT, at);
  }

  static void u8(MemorySegment s, long at, int value) {
    s.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  static void i32(MemorySegment s, long at, int value) {
    s.set(INT, at, value);
  }

  /** Writes a half and returns what it stands for. */
  static float f16(MemorySegment s, long at, float value) {
    short half = Float.floatToFloat16(value);
    s.set(SHORT, at, half);
    return Float.float16ToFloat(half);
  }

  static void f32(MemorySegment s, long at, float value) {
    s.set(FLOAT, at, value);
  }
}
