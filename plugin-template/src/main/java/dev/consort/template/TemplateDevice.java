// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.Event;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.spi.BaseDevice;
import java.util.Map;

/** One device: what it is called, what it can do, and what is made of it. */
final class TemplateDevice extends BaseDevice {
  private static final String NAME = TemplateProvider.NAME;

  private final TemplateBuffers buffers = new TemplateBuffers(this);

  TemplateDevice(int index) {
    super(new DeviceInfo(NAME, index, "Scalar Java", DeviceKind.ACCEL, true, "", NAME));
    offer(ProcAddresses.HOST_BUFFER_TYPE, () -> buffers);
    offer(ProcAddresses.GET_FEATURES, () -> Map.of("kernels", "scalar"));
  }

  TemplateBuffers buffers() {
    return buffers;
  }

  @Override
  public DeviceMemory memory() {
    return buffers.memory();
  }

  @Override
  public BufferType bufferType() {
    return buffers;
  }

  @Override
  public Support supports(Tensor node) {
    return TemplateKernels.supports(node);
  }

  @Override
  public Backend createBackend() {
    poison().check();
    return new TemplateBackend(this);
  }

  @Override
  public Event createEvent() {
    return new TemplateEvent(this);
  }
}
