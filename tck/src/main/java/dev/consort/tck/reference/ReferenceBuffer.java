// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Native memory; only host buffers show it. */
final class ReferenceBuffer implements Buffer {
  private final BufferType type;
  private final MemorySegment memory;
  private final Optional<MemorySegment> host;
  private final Runnable free;
  private final AtomicBoolean closed = new AtomicBoolean();

  ReferenceBuffer(
      BufferType type, MemorySegment memory, Optional<MemorySegment> host, Runnable free) {
    this.type = type;
    this.memory = memory;
    this.host = host;
    this.free = free;
  }

  /** The bytes from {@code offset} on. */
  MemorySegment memory(long offset) {
    requireOpen();
    return memory.asSlice(offset);
  }

  MemorySegment memory(long offset, long bytes) {
    requireOpen();
    if (offset < 0 || bytes < 0 || offset > memory.byteSize() - bytes) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "%d bytes from %d on reach outside a buffer of %d"
                  .formatted(bytes, offset, memory.byteSize()))
          .device(type.device())
          .build();
    }
    return memory.asSlice(offset, bytes);
  }

  private void requireOpen() {
    if (closed.get()) {
      throw ConsortException.of(ErrorCode.CLOSED, "the buffer was closed")
          .device(type.device())
          .build();
    }
  }

  @Override
  public BufferType type() {
    return type;
  }

  @Override
  public long bytes() {
    return memory.byteSize();
  }

  @Override
  public Optional<MemorySegment> host() {
    return host;
  }

  @Override
  public void fill(byte value) {
    memory(0).fill(value);
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      free.run();
    }
  }
}
