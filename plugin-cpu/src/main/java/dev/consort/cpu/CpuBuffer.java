// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Memory outside of the Java heap: the plugin's own, or the caller's. */
final class CpuBuffer implements Buffer {
  private final BufferType type;
  private final MemorySegment memory;
  private final Placement placement;
  private final Runnable free;
  private final AtomicBoolean closed = new AtomicBoolean();

  CpuBuffer(BufferType type, MemorySegment memory, Placement placement, Runnable free) {
    this.placement = placement;
    this.type = type;
    this.memory = memory;
    this.free = free;
  }

  static CpuBuffer of(Buffer buffer) {
    if (buffer instanceof CpuBuffer cpu) {
      cpu.check();
      return cpu;
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "found a buffer of type %s, expected one of the CPU's; copy the data over first"
            .formatted(buffer.type().name()));
  }

  long address() {
    return memory.address();
  }

  MemorySegment memory() {
    return memory;
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
    return type.repacks() ? Optional.empty() : Optional.of(memory);
  }

  @Override
  public void fill(byte value) {
    check();
    placement.near(() -> memory.fill(value));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      free.run();
    }
  }

  private void check() {
    if (closed.get()) {
      throw new ConsortException(
          ErrorCode.CLOSED, "a buffer of type " + type.name() + " is used after it was closed");
    }
  }
}
