// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Storage;

/** Copies between streams of one device, as virtual members are. */
final class VulkanCopy implements CopyTensor {
  @Override
  public boolean connects(Device from, Device to) {
    return from == to && from instanceof VulkanDevice;
  }

  @Override
  public void copy(
      Backend fromBackend,
      Storage from,
      long fromOffset,
      Backend toBackend,
      Storage to,
      long toOffset,
      long bytes) {
    if (fromBackend == toBackend) {
      toBackend.copy(from, fromOffset, to, toOffset, bytes);
      return;
    }
    try (Event before = fromBackend.device().createEvent();
        Event after = toBackend.device().createEvent()) {
      fromBackend.record(before);
      toBackend.await(before);
      toBackend.copy(from, fromOffset, to, toOffset, bytes);
      toBackend.record(after);
      fromBackend.await(after);
    }
  }
}
