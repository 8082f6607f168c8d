// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** An array of strings: their bytes as the file has them, and where each lies. Immutable. */
public final class StringArray {
  private final byte[] bytes;
  private final int[] starts;

  /** The strings' bounds were checked when the file was parsed. */
  StringArray(MemorySegment data, MetadataValue value) {
    this.bytes = new byte[Math.toIntExact(value.bytes())];
    MemorySegment.copy(data, Layouts.I8, value.position(), bytes, 0, bytes.length);
    this.starts = new int[Math.toIntExact(value.count()) + 1];
    int at = Long.BYTES;
    for (int i = 0; i < starts.length - 1; i++) {
      starts[i] = at;
      at += PlainBytes.i32(bytes, at - Long.BYTES) + Long.BYTES;
    }
    starts[starts.length - 1] = at;
  }

  public int size() {
    return starts.length - 1;
  }

  /** All strings' bytes, at {@link #start} and {@link #end}; not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  /** Index of the first byte of a string. */
  public int start(int index) {
    return starts[index];
  }

  /** Index behind the last byte of a string. */
  public int end(int index) {
    return starts[index + 1] - Long.BYTES;
  }

  /** A string, malformed UTF-8 replaced. */
  public String get(int index) {
    return new String(bytes, start(index), end(index) - start(index), StandardCharsets.UTF_8);
  }
}
