// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.host.matrix.cell.Probe;
import java.util.Optional;

/** A device that can be named and not used: it was listed in another JVM. */
record ListedDevice(Probe probe) implements Device {
  @Override
  public DeviceInfo info() {
    return probe.info();
  }

  @Override
  public DeviceMemory memory() {
    return probe.memory();
  }

  @Override
  public Support supports(Tensor node) {
    return Support.no("it lives in another JVM");
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return Optional.empty();
  }

  @Override
  public BufferType bufferType() {
    throw elsewhere();
  }

  @Override
  public Backend createBackend() {
    throw elsewhere();
  }

  @Override
  public Event createEvent() {
    throw elsewhere();
  }

  private ConsortException elsewhere() {
    return new ConsortException(
        ErrorCode.UNSUPPORTED, probe.info().id() + " lives in another JVM and can only be named");
  }
}
