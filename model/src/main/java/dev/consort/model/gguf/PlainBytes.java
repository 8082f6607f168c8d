// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

/** Little-endian scalars in an array. */
final class PlainBytes {
  private PlainBytes() {}

  static int i32(byte[] bytes, int at) {
    return bytes[at] & 0xff
        | (bytes[at + 1] & 0xff) << 8
        | (bytes[at + 2] & 0xff) << 16
        | bytes[at + 3] << 24;
  }

  static long i64(byte[] bytes, int at) {
    return i32(bytes, at) & 0xffff_ffffL | (long) i32(bytes, at + 4) << 32;
  }
}
