// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Collects bytes of a file's head in the format's byte order. */
final class HeadBuilder {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  HeadBuilder i8(int value) {
    bytes.write(value);
    return this;
  }

  HeadBuilder i32(int value) {
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      bytes.write(value >>> shift);
    }
    return this;
  }

  HeadBuilder i64(long value) {
    return i32((int) value).i32((int) (value >>> Integer.SIZE));
  }

  HeadBuilder f32(float value) {
    return i32(Float.floatToRawIntBits(value));
  }

  HeadBuilder string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    i64(utf8.length);
    bytes.writeBytes(utf8);
    return this;
  }

  HeadBuilder bytes(byte[] plain) {
    bytes.writeBytes(plain);
    return this;
  }

  HeadBuilder append(HeadBuilder other) {
    bytes.writeBytes(other.toBytes());
    return this;
  }

  HeadBuilder padTo(int alignment) {
    while (bytes.size() % alignment != 0) {
      bytes.write(0);
    }
    return this;
  }

  int size() {
    return bytes.size();
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }
}
