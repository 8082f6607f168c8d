// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import java.time.Duration;

/** A point in a stream; it is done as soon as it is recorded, for so is everything before it. */
final class TemplateEvent implements Event {
  private final TemplateDevice device;
  private volatile boolean closed;

  TemplateEvent(TemplateDevice device) {
    this.device = device;
  }

  void record() {
    if (closed) {
      throw device.error(ErrorCode.CLOSED, "record", "the event was closed");
    }
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    device.poison().check();
    return true;
  }

  @Override
  public void await(Duration timeout) {
    device.poison().check();
  }

  @Override
  public void close() {
    closed = true;
  }
}
