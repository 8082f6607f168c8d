// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.Graph;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.trace.AllocationChecker;
import java.util.ArrayList;
import java.util.List;

/**
 * Places what a schedule stores in as little memory as first fit finds, sharing bytes wherever the
 * schedule's edges allow it: a backend that does not keep to its own edges computes nonsense in it.
 */
final class TightPacking {
  private TightPacking() {}

  static Allocation pack(BufferType type, Graph graph, Schedule schedule) {
    List<Tensor> tensors = schedule.stored(graph);
    AllocationChecker.Lifetimes lifetimes = AllocationChecker.lifetimes(graph, schedule);
    List<Long> offsets = new ArrayList<>();
    long end = type.alignment();
    for (int i = 0; i < tensors.size(); i++) {
      long offset = 0;
      boolean moved = true;
      while (moved) {
        moved = false;
        for (int j = 0; j < i; j++) {
          if (offset < offsets.get(j) + bytes(type, tensors.get(j))
              && offsets.get(j) < offset + bytes(type, tensors.get(i))
              && !lifetimes.mayShare(tensors.get(i), tensors.get(j))) {
            offset = offsets.get(j) + bytes(type, tensors.get(j));
            moved = true;
          }
        }
      }
      offsets.add(offset);
      end = Math.max(end, offset + bytes(type, tensors.get(i)));
    }
    Buffer buffer = type.allocate(end);
    List<Storage> places = new ArrayList<>();
    for (int i = 0; i < tensors.size(); i++) {
      places.add(new Storage(tensors.get(i), buffer, offsets.get(i)));
    }
    return Allocation.of(places, List.of(buffer));
  }

  private static long bytes(BufferType type, Tensor tensor) {
    return (type.bytes(tensor) + type.alignment() - 1) & -type.alignment();
  }
}
