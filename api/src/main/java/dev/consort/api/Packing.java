// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Packs tensors one after another into as few buffers as a type's limit allows. */
final class Packing {
  private Packing() {}

  static Allocation pack(BufferType type, Collection<Tensor> tensors) {
    List<Buffer> buffers = new ArrayList<>();
    List<Storage> places = new ArrayList<>();
    List<Tensor> group = new ArrayList<>();
    try {
      long used = 0;
      for (Tensor tensor : tensors) {
        long bytes = align(type, type.bytes(tensor));
        if (used + bytes > type.maxBytes() && !group.isEmpty()) {
          place(type, group, used, buffers, places);
          used = 0;
        }
        group.add(tensor);
        used += bytes;
      }
      place(type, group, used, buffers, places);
    } catch (RuntimeException | Error e) {
      buffers.forEach(Buffer::close);
      throw e;
    }
    return Allocation.of(places, buffers);
  }

  private static void place(
      BufferType type, List<Tensor> group, long bytes, List<Buffer> buffers, List<Storage> places) {
    if (group.isEmpty()) {
      return;
    }
    Buffer buffer = type.allocate(Math.max(bytes, type.alignment()));
    buffers.add(buffer);
    long offset = 0;
    for (Tensor tensor : group) {
      places.add(new Storage(tensor, buffer, offset));
      offset += align(type, type.bytes(tensor));
    }
    group.clear();
  }

  private static long align(BufferType type, long bytes) {
    return (bytes + type.alignment() - 1) & -type.alignment();
  }
}
