// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Buffer;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import dev.consort.spi.BaseBuffer;
import dev.consort.spi.BaseBufferType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** The device's memory, here some of the host's. */
final class TemplateBuffers extends BaseBufferType {
  private static final long CAPACITY = 4L << 30;
  private static final long ALIGNMENT = 64;

  private final TemplateDevice device;
  private final AtomicLong used = new AtomicLong();

  TemplateBuffers(TemplateDevice device) {
    super(device, TemplateProvider.NAME, ALIGNMENT, CAPACITY);
    this.device = device;
  }

  DeviceMemory memory() {
    return new DeviceMemory(CAPACITY - used.get(), CAPACITY);
  }

  @Override
  protected Buffer create(long bytes) {
    Arena arena = Arena.ofShared();
    try {
      if (used.addAndGet(bytes) <= CAPACITY) {
        return new Memory(arena, arena.allocate(bytes, ALIGNMENT));
      }
    } catch (OutOfMemoryError e) {
      // Said below, in the same words as for the device's own limit.
    }
    arena.close();
    used.addAndGet(-bytes);
    throw device.error(
        ErrorCode.OUT_OF_MEMORY, "allocate", "no room for %d bytes".formatted(bytes));
  }

  /** The bytes from a tensor's first on; the buffer must be open and of this device. */
  MemorySegment at(Storage storage) {
    if (storage.buffer() instanceof Memory own && own.type() == this) {
      return own.open().asSlice(storage.offset());
    }
    throw device.error(ErrorCode.INVALID_ARGUMENT, "buffer", "found a buffer of another device");
  }

  private final class Memory extends BaseBuffer {
    private final Arena arena;
    private final MemorySegment bytes;

    Memory(Arena arena, MemorySegment bytes) {
      super(TemplateBuffers.this, bytes.byteSize());
      this.arena = arena;
      this.bytes = bytes;
    }

    MemorySegment open() {
      check();
      return bytes;
    }

    @Override
    public Optional<MemorySegment> host() {
      return Optional.of(open());
    }

    @Override
    public void fill(byte value) {
      open().fill(value);
    }

    @Override
    protected void free() {
      arena.close();
      used.addAndGet(-bytes());
    }
  }
}
