// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Stable;
import dev.consort.api.Tensor;

/** A buffer type whose tensors lie as their data types say. */
@Stable(since = "1.0")
public abstract class BaseBufferType implements BufferType {
  private final BaseDevice device;
  private final String name;
  private final long alignment;
  private final long maxBytes;

  /**
   * @param alignment bytes, a power of two
   * @param maxBytes the largest buffer
   */
  protected BaseBufferType(BaseDevice device, String name, long alignment, long maxBytes) {
    this.device = device;
    this.name = name;
    this.alignment = alignment;
    this.maxBytes = maxBytes;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Device device() {
    return device;
  }

  @Override
  public final long alignment() {
    return alignment;
  }

  @Override
  public final long maxBytes() {
    return maxBytes;
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
  public final Buffer allocate(long bytes) {
    if (bytes < 0 || bytes > maxBytes) {
      throw device.error(
          ErrorCode.INVALID_ARGUMENT,
          "allocate",
          "found %d bytes, expected 0 to %d".formatted(bytes, maxBytes));
    }
    device.poison().check();
    return create(bytes);
  }

  /**
   * Makes a buffer of a size that was checked.
   *
   * @throws dev.consort.api.ConsortException OUT_OF_MEMORY
   */
  protected abstract Buffer create(long bytes);
}
