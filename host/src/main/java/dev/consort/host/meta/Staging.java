// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.HostBufferType;
import dev.consort.api.ProcAddresses;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Deque;
import java.util.Optional;

/** Host memory that members read and write: of the kind that a device likes best, if it has one. */
public final class Staging {
  private static final int PAGE = 4096;

  private Staging() {}

  /**
   * @param owned what is closed in the end, from the front; the arena is in it
   */
  public static MemorySegment allocate(
      Device device, long bytes, Arena arena, Deque<AutoCloseable> owned) {
    return device
        .find(ProcAddresses.HOST_BUFFER_TYPE)
        .map(HostBufferType::hostBufferType)
        .filter(type -> type.maxBytes() >= bytes)
        .flatMap(type -> pinned(type, bytes, owned))
        .orElseGet(() -> arena.allocate(bytes, PAGE));
  }

  /** Pinned memory is scarce; ordinary memory does as well. */
  private static Optional<MemorySegment> pinned(
      BufferType type, long bytes, Deque<AutoCloseable> owned) {
    Buffer buffer;
    try {
      buffer = type.allocate(bytes);
    } catch (ConsortException e) {
      return Optional.empty();
    }
    owned.addFirst(buffer);
    return buffer.host().map(memory -> memory.asSlice(0, bytes));
  }
}
