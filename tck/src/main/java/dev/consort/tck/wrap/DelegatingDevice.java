// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Comm;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceMemory;
import dev.consort.api.Event;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A device that does what another does. Its backends, events, plans and comms are wrapped, and
 * unwrapped where they are passed back; buffers and buffer types are the other device's own.
 */
public class DelegatingDevice implements Device {
  private final Device delegate;

  public DelegatingDevice(Device delegate) {
    this.delegate = delegate;
  }

  /** The device around which this one is. */
  public final Device delegate() {
    return delegate;
  }

  @Override
  public DeviceInfo info() {
    return delegate.info();
  }

  @Override
  public DeviceMemory memory() {
    return delegate.memory();
  }

  @Override
  public BufferType bufferType() {
    return delegate.bufferType();
  }

  @Override
  public Support supports(Tensor node) {
    return delegate.supports(node);
  }

  @Override
  public final Backend createBackend() {
    return wrap(delegate.createBackend());
  }

  @Override
  public final Event createEvent() {
    return wrap(delegate.createEvent());
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return delegate.find(address).map(found -> WrappedCapabilities.wrap(this, address, found));
  }

  /** What {@link #createBackend()} gives. */
  protected DelegatingBackend wrap(Backend backend) {
    return new DelegatingBackend(this, backend);
  }

  /** What {@link #createEvent()} and host signals give. */
  protected DelegatingEvent wrap(Event event) {
    return new DelegatingEvent(this, event);
  }

  /** What the comm capability gives. */
  protected Comm wrap(Comm comm, List<Backend> members) {
    return new DelegatingComm(comm, members);
  }

  static Device unwrap(Device device) {
    return device instanceof DelegatingDevice wrapped ? wrapped.delegate : device;
  }

  @Override
  public String toString() {
    return delegate.toString();
  }
}
