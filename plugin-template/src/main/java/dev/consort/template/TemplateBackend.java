// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Allocation;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.spi.BaseBackend;
import java.lang.foreign.MemorySegment;

/**
 * A stream. Here every call has done its work when it returns, which keeps all promises of the
 * ordering contract; a device that works beside the host queues the work instead.
 */
final class TemplateBackend extends BaseBackend {
  private final TemplateDevice device;

  TemplateBackend(TemplateDevice device) {
    super(device);
    this.device = device;
  }

  @Override
  protected Plan make(Graph graph, Schedule schedule, Allocation allocation) {
    return new TemplatePlan(this, device, schedule, allocation);
  }

  @Override
  protected void run(Plan plan) {
    ((TemplatePlan) plan).run();
  }

  @Override
  protected void write(Storage to, long offset, MemorySegment from) {
    device.buffers().at(to).asSlice(offset).copyFrom(from);
  }

  @Override
  protected void read(Storage from, long offset, MemorySegment to) {
    to.copyFrom(device.buffers().at(from).asSlice(offset, to.byteSize()));
  }

  @Override
  protected void move(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    MemorySegment source = device.buffers().at(from).asSlice(fromOffset, bytes);
    device.buffers().at(to).asSlice(toOffset).copyFrom(source);
  }

  @Override
  public void record(Event event) {
    own(event).record();
  }

  @Override
  public void await(Event event) {
    own(event);
  }

  private TemplateEvent own(Event event) {
    check();
    if (event instanceof TemplateEvent own) {
      return own;
    }
    throw device.error(ErrorCode.UNSUPPORTED, "event", "found an event of another plugin");
  }

  @Override
  public void synchronize() {
    check();
  }
}
