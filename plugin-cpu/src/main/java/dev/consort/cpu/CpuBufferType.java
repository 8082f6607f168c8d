// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import java.util.function.Supplier;

/** The host's memory, holding tensors as their data type says or, for weights, packed. */
final class CpuBufferType implements BufferType {
  /** A vector or a cache line, whichever is longer. */
  static final long ALIGNMENT = 64;

  private final Device device;
  private final Supplier<Kernels> kernels;
  private final Placement placement;
  private final boolean repacks;

  CpuBufferType(Device device, Supplier<Kernels> kernels, Placement placement, boolean repacks) {
    this.placement = placement;
    this.device = device;
    this.kernels = kernels;
    this.repacks = repacks;
  }

  @Override
  public String name() {
    return repacks ? "cpu_packed" : "cpu";
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
    return repacks;
  }

  @Override
  public long bytes(Tensor tensor) {
    return tensor.bytes();
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0 || bytes > maxBytes()) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT, "%d bytes are no size of a buffer".formatted(bytes))
          .device(device)
          .build();
    }
    Kernels.Allocated memory =
        placement.near(() -> kernels.get().allocate(Math.max(bytes, ALIGNMENT)));
    return new CpuBuffer(this, memory.segment().asSlice(0, bytes), placement, memory.free());
  }
}
