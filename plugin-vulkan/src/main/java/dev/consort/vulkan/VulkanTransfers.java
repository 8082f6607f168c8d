// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Backend;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;

/** Rectangles: rows gathered into one submission. */
final class VulkanTransfers {
  private VulkanTransfers() {}

  static void set(
      Backend backend,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    if (toStride == rowBytes && fromStride == rowBytes) {
      backend.set(to, offset, from.asSlice(0, rowBytes * rows));
      return;
    }
    for (long row = 0; row < rows; row++) {
      backend.set(to, offset + row * toStride, from.asSlice(row * fromStride, rowBytes));
    }
  }

  static void get(
      Backend backend,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    if (fromStride == rowBytes && toStride == rowBytes) {
      backend.get(from, offset, to.asSlice(0, rowBytes * rows));
      return;
    }
    for (long row = 0; row < rows; row++) {
      backend.get(from, offset + row * fromStride, to.asSlice(row * toStride, rowBytes));
    }
  }
}
