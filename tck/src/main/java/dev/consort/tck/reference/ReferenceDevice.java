// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.spi.Capabilities;
import dev.consort.spi.Poison;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device that computes every operation with the scalar reference, on a thread for each backend.
 * It has every standard capability, so that each can be hidden.
 */
public final class ReferenceDevice implements Device {
  private final ReferenceOptions options;
  private final Poison poison = new Poison(this);
  private final Mischief mischief;
  private final BufferType bufferType =
      new ReferenceBufferType(this, ReferenceBufferType.Kind.DEVICE);
  private final Capabilities capabilities = new Capabilities();
  private final AtomicLong used = new AtomicLong();
  private final AtomicInteger backends = new AtomicInteger();

  /** A device without mischief. */
  public ReferenceDevice(int index) {
    this(ReferenceOptions.of(index));
  }

  public ReferenceDevice(ReferenceOptions options) {
    this.options = options;
    this.mischief = new Mischief(options.adversary(), this, options.index());
    ReferenceCapabilities.fill(capabilities, this);
  }

  @Override
  public DeviceInfo info() {
    return new DeviceInfo(
        options.plugin(),
        options.index(),
        "Scalar reference",
        DeviceKind.ACCEL,
        true,
        "",
        options.plugin());
  }

  @Override
  public DeviceMemory memory() {
    return new DeviceMemory(options.memoryBytes() - used.get(), options.memoryBytes());
  }

  @Override
  public BufferType bufferType() {
    return bufferType;
  }

  @Override
  public Support supports(Tensor node) {
    if (node.operation() instanceof Operation.AllReduce reduce
        && !(reduce.member() instanceof ReferenceComm.Member)) {
      return Support.no("the comm is of another plugin");
    }
    return Support.yes();
  }

  @Override
  public Backend createBackend() {
    poison.check();
    return new ReferenceBackend(this, backends.getAndIncrement());
  }

  @Override
  public Event createEvent() {
    return new ReferenceEvent(this);
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return capabilities.find(address);
  }

  /** Makes the device fail, as if the hardware had gone. */
  public void lose() {
    poison.fail("lose", "the device was lost on purpose", new IllegalStateException("lost"));
  }

  ReferenceOptions options() {
    return options;
  }

  Poison poison() {
    return poison;
  }

  Mischief mischief() {
    return mischief;
  }

  void reserve(long bytes) {
    long now = used.addAndGet(bytes);
    if (now > options.memoryBytes()) {
      used.addAndGet(-bytes);
      throw ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              "%d bytes were asked for, %d of %d are free"
                  .formatted(bytes, options.memoryBytes() - now + bytes, options.memoryBytes()))
          .device(this)
          .build();
    }
  }

  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  @Override
  public String toString() {
    return info().id();
  }
}
