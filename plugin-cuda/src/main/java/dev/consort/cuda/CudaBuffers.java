// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.HostBlock;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The device's own memory, and pinned host memory. */
final class CudaBuffers implements BufferType {
  /** What cuMemAlloc aligns to, and more than any kernel's widest load. */
  private static final long ALIGNMENT = 256;

  private final CudaDevice device;
  private final boolean forHost;

  CudaBuffers(CudaDevice device, boolean forHost) {
    this.device = device;
    this.forHost = forHost;
  }

  @Override
  public String name() {
    return forHost ? "CUDA host" : "CUDA";
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
    return Long.MAX_VALUE / 2;
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
              ErrorCode.INVALID_ARGUMENT, "%d bytes are no size of a buffer".formatted(bytes))
          .device(device)
          .operation("allocate")
          .build();
    }
    try {
      device.gpu().bind();
      return new Piece(bytes);
    } catch (CudaError e) {
      throw device.translate("allocate", bytes + " bytes of " + name() + " memory", e);
    }
  }

  /** One buffer. */
  final class Piece implements Buffer {
    private final long bytes;
    private final @Nullable DeviceBlock block;
    private final @Nullable HostBlock hostBlock;
    private final long address;
    private volatile boolean closed;

    private Piece(long bytes) {
      this.bytes = bytes;
      long room = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) & -ALIGNMENT);
      if (forHost) {
        block = null;
        HostBlock made = new HostBlock(room);
        hostBlock = made;
        address = made.address();
        device.host().add(this);
      } else {
        hostBlock = null;
        DeviceBlock made = new DeviceBlock(room);
        block = made;
        address = made.address();
      }
    }

    long address() {
      return address;
    }

    CudaDevice owner() {
      return device;
    }

    boolean isClosed() {
      return closed;
    }

    boolean isForHost() {
      return forHost;
    }

    @Override
    public BufferType type() {
      return CudaBuffers.this;
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public Optional<MemorySegment> host() {
      return hostBlock == null
          ? Optional.empty()
          : Optional.of(hostBlock.segment().asSlice(0, bytes));
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
      DeviceBlock own = block;
      if (own == null) {
        host().orElseThrow().fill(value);
        return;
      }
      try {
        device.gpu().bind();
        device.fill(own, value);
      } catch (CudaError e) {
        throw device.fail("fill", e);
      }
    }

    @Override
    public synchronized void close() {
      if (closed) {
        return;
      }
      closed = true;
      if (forHost) {
        device.host().remove(this);
      }
      try {
        device.gpu().bind();
        if (block != null) {
          block.close();
        } else if (hostBlock != null) {
          hostBlock.close();
        }
      } catch (CudaError e) {
        if (!device.poison().isPoisoned()) {
          throw device.fail("free", e);
        }
      }
    }
  }
}
