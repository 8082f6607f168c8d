// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.Event;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.Optional;

/** A device that has a name and nothing else. */
record NamedDevice(DeviceInfo info) implements Device {
  NamedDevice(
      String plugin, int index, String name, DeviceKind kind, boolean software, String driver) {
    this(new DeviceInfo(plugin, index, name, kind, software, driver, name));
  }

  @Override
  public DeviceMemory memory() {
    return new DeviceMemory(0, 0);
  }

  @Override
  public BufferType bufferType() {
    throw new IllegalStateException("has no memory");
  }

  @Override
  public Support supports(Tensor node) {
    return Support.no("only a name");
  }

  @Override
  public Backend createBackend() {
    throw new IllegalStateException("can't compute");
  }

  @Override
  public Event createEvent() {
    throw new IllegalStateException("can't compute");
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return Optional.empty();
  }
}
