// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.HostSignal;

/** Events that the host signals. What waits for one is held back on the host. */
final class VulkanHostSignal implements HostSignal {
  private final VulkanDevice device;

  VulkanHostSignal(VulkanDevice device) {
    this.device = device;
  }

  @Override
  public Event createEvent() {
    return new VulkanEvent(device);
  }

  @Override
  public void arm(Event event) {
    own(event).recorded(new Pending());
  }

  @Override
  public void signal(Event event) {
    Pending pending = own(event).pending();
    if (pending != null) {
      pending.resolve();
    }
  }

  private VulkanEvent own(Event event) {
    if (event instanceof VulkanEvent own && own.device() == device) {
      return own;
    }
    throw ConsortException.of(
            ErrorCode.INVALID_ARGUMENT, "the event was made by another device's host_signal")
        .device(device)
        .operation("host_signal")
        .build();
  }
}
