// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The repacked layout: a header, then the bytes in reverse order and inverted. Of no use to anybody
 * but those who must find out that somebody forgot that a buffer type repacks.
 */
final class Scramble {
  private static final long HEADER = 32;

  private Scramble() {}

  static long bytes(Tensor tensor) {
    return HEADER + tensor.bytes();
  }

  /** Only whole tensors are written. */
  static void check(Tensor tensor, long offset, MemorySegment from) {
    if (offset != 0 || from.byteSize() != tensor.bytes()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %d bytes at %d, expected all %d bytes of %s at 0: its buffer repacks"
              .formatted(from.byteSize(), offset, tensor.bytes(), tensor));
    }
  }

  static void pack(MemorySegment from, MemorySegment to) {
    long bytes = from.byteSize();
    for (long i = 0; i < bytes; i++) {
      byte value = from.get(ValueLayout.JAVA_BYTE, i);
      to.set(ValueLayout.JAVA_BYTE, HEADER + bytes - 1 - i, (byte) ~value);
    }
  }

  /** The tensor's own bytes. */
  static MemorySegment unpack(Tensor tensor, MemorySegment from) {
    int bytes = Math.toIntExact(tensor.bytes());
    byte[] to = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      to[i] = (byte) ~from.get(ValueLayout.JAVA_BYTE, HEADER + bytes - 1 - i);
    }
    return MemorySegment.ofArray(to);
  }
}
