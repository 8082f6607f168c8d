// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import java.lang.foreign.MemorySegment;

/** Heads of GGUF files written by hand, sound and broken. */
final class HeadBytes {
  private final HeadBuilder keys = new HeadBuilder();
  private final HeadBuilder tensors = new HeadBuilder();
  private long keyCount;
  private long tensorCount;
  private int version = 3;
  private int dataBytes;

  HeadBytes version(int number) {
    version = number;
    return this;
  }

  HeadBytes keyCount(long count) {
    keyCount = count;
    return this;
  }

  HeadBytes tensorCount(long count) {
    tensorCount = count;
    return this;
  }

  /** A key of the given type; the value is appended to the builder that is returned. */
  HeadBuilder key(String name, int type) {
    keyCount++;
    return keys.string(name).i32(type);
  }

  HeadBytes string(String name, String value) {
    key(name, 8).string(value);
    return this;
  }

  HeadBytes integer(String name, int value) {
    key(name, 4).i32(value);
    return this;
  }

  HeadBytes tensor(String name, int type, long offset, long... extents) {
    tensorCount++;
    tensors.string(name).i32(extents.length);
    for (long extent : extents) {
      tensors.i64(extent);
    }
    tensors.i32(type).i64(offset);
    return this;
  }

  HeadBytes data(int bytes) {
    dataBytes = bytes;
    return this;
  }

  byte[] bytes() {
    HeadBuilder all =
        new HeadBuilder()
            .i32(GgufParser.MAGIC)
            .i32(version)
            .i64(tensorCount)
            .i64(keyCount)
            .append(keys)
            .append(tensors)
            .padTo(32);
    for (int i = 0; i < dataBytes; i++) {
      all.i8(i);
    }
    return all.toBytes();
  }

  GgufParser.Parsed parse() {
    return GgufParser.parse("model.gguf", MemorySegment.ofArray(bytes()));
  }
}
