// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.VulkanError;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The device's own memory, and host memory that it reaches. */
final class VulkanBuffers implements BufferType {
  private static final long ALIGNMENT = 256;

  private final VulkanDevice device;
  private final boolean forHost;

  VulkanBuffers(VulkanDevice device, boolean forHost) {
    this.device = device;
    this.forHost = forHost;
  }

  @Override
  public String name() {
    return forHost ? "Vulkan host" : "Vulkan";
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long alignment() {
    return ALIGNMENT;
  }

  @Override
  public long maxBytes() {
    return device.adapter().limits().allocation() & -ALIGNMENT;
  }

  @Override
  public boolean repacks() {
    return false;
  }

  @Override
  public long bytes(Tensor tensor) {
    return tensor.bytes();
  }

  @Override
  public Buffer allocate(long bytes) {
    device.poison().check();
    if (bytes < 0 || bytes > maxBytes()) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "a buffer of %d bytes was asked for, this memory's buffers hold up to %d"
                  .formatted(bytes, maxBytes()))
          .device(device)
          .build();
    }
    try {
      return new Piece(device.gpu().allocate(bytes, forHost), bytes);
    } catch (VulkanError e) {
      throw device.translate("allocate", bytes + " bytes of " + name() + " memory", e);
    }
  }

  /** A buffer over memory that was imported. */
  Buffer wrap(Block block, long bytes) {
    return new Piece(block, bytes);
  }

  /** One buffer. */
  final class Piece implements Buffer {
    private final Block block;
    private final long bytes;
    private boolean closed;

    private Piece(Block block, long bytes) {
      this.block = block;
      this.bytes = bytes;
      if (forHost) {
        device.pinned().add(this);
      }
    }

    Block block() {
      return block;
    }

    VulkanDevice owner() {
      return device;
    }

    boolean isClosed() {
      return closed;
    }

    @Override
    public BufferType type() {
      return VulkanBuffers.this;
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public Optional<MemorySegment> host() {
      return block.mapped() == 0
          ? Optional.empty()
          : Optional.of(MemorySegment.ofAddress(block.mapped()).reinterpret(bytes));
    }

    @Override
    public void fill(byte value) {
      device.poison().check();
      if (closed) {
        throw ConsortException.of(ErrorCode.CLOSED, "the buffer was closed")
            .device(device)
            .operation("fill")
            .build();
      }
      if (block.mapped() != 0) {
        host().orElseThrow().fill(value);
        return;
      }
      try (VulkanBackend stream = device.createBackend()) {
        stream.fill(this, value);
        stream.synchronize();
      }
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        if (forHost) {
          device.pinned().remove(this);
        }
        device.gpu().free(block);
      }
    }
  }
}
