// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Buffer;
import dev.consort.spi.BaseBuffer;
import dev.consort.spi.BaseBufferType;
import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.VulkanError;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The device's own memory, and host memory that it reaches. */
final class VulkanBuffers extends BaseBufferType {
  /** Where the memory is. */
  enum Kind {
    DEVICE,
    HOST
  }

  private static final long ALIGNMENT = 256;

  private final VulkanDevice device;
  private final Kind kind;

  VulkanBuffers(VulkanDevice device, Kind kind) {
    super(
        device,
        kind == Kind.HOST ? "Vulkan host" : "Vulkan",
        ALIGNMENT,
        device.adapter().limits().allocation() & -ALIGNMENT);
    this.device = device;
    this.kind = kind;
  }

  @Override
  protected Buffer create(long bytes) {
    try {
      return new Piece(device.gpu().heap().allocate(bytes, kind == Kind.HOST), bytes);
    } catch (VulkanError e) {
      throw device.translate("allocate", bytes + " bytes of " + name() + " memory", e);
    }
  }

  /** A buffer over memory that was imported. */
  Buffer wrap(Block block, long bytes) {
    return new Piece(block, bytes);
  }

  /** One buffer. */
  final class Piece extends BaseBuffer {
    private final Block block;

    private Piece(Block block, long bytes) {
      super(VulkanBuffers.this, bytes);
      this.block = block;
      if (kind == Kind.HOST) {
        device.pinned().add(this);
      }
    }

    /** The memory, if the buffer is open. */
    Block open() {
      check();
      return block;
    }

    /** Where the host sees the first byte. */
    long hostAddress() {
      return block.mapped();
    }

    VulkanDevice owner() {
      return device;
    }

    @Override
    public Optional<MemorySegment> host() {
      return block.mapped() == 0
          ? Optional.empty()
          : Optional.of(MemorySegment.ofAddress(block.mapped()).reinterpret(bytes()));
    }

    @Override
    public void fill(byte value) {
      device.poison().check();
      Block memory = open();
      if (memory.mapped() != 0) {
        host().orElseThrow().fill(value);
        return;
      }
      try (VulkanBackend stream = device.createBackend()) {
        stream.stream().fill(memory, value);
        stream.synchronize();
      }
    }

    @Override
    protected void free() {
      if (kind == Kind.HOST) {
        device.pinned().remove(this);
      }
      device.gpu().heap().free(block);
    }
  }
}
