// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.memory;

import dev.consort.api.Buffer;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;

/**
 * Bytes that a command touches.
 *
 * @param memory what the bytes are counted in: a buffer, or {@link #HOST}, or a heap array
 * @param from the first byte
 * @param to behind the last byte
 */
public record Access(Object memory, long from, long to, Kind kind) {
  /** The memory of native segments; bytes are addresses. */
  public static final Object HOST = "host memory";

  /** What is done to the bytes. */
  public enum Kind {
    READ,
    WRITE
  }

  /** Bytes of a tensor's place. A buffer that the host sees counts as host memory. */
  public static Access of(Storage storage, long offset, long bytes, Kind kind) {
    Buffer buffer = storage.buffer();
    long from = storage.offset() + offset;
    return buffer
        .host()
        .map(memory -> of(memory.asSlice(from, bytes), kind))
        .orElseGet(() -> new Access(buffer, from, from + bytes, kind));
  }

  /** The bytes of a host segment. */
  public static Access of(MemorySegment segment, Kind kind) {
    Object memory = segment.heapBase().orElse(HOST);
    return new Access(memory, segment.address(), segment.address() + segment.byteSize(), kind);
  }

  /** Whether both touch a byte and one of them writes. */
  public boolean conflicts(Access other) {
    return memory == other.memory
        && from < other.to
        && other.from < to
        && (kind == Kind.WRITE || other.kind == Kind.WRITE);
  }

  @Override
  public String toString() {
    String where =
        memory instanceof Buffer buffer
            ? buffer.type().name() + "@" + Integer.toHexString(System.identityHashCode(buffer))
            : memory == HOST ? "host" : "heap";
    return "%s of %s[%d, %d)".formatted(kind.name().toLowerCase(), where, from, to);
  }
}
