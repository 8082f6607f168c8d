// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.meta.WeightTypes;
import dev.consort.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Allocates a model's weights and uploads them from the mapped file. */
final class WeightLoader {
  private WeightLoader() {}

  /** The weights of a graph that was scheduled on the device's backend before. Blocks. */
  static List<Allocation> load(
      Model model, Device device, Backend backend, Graph graph, Progress progress) {
    Map<String, BufferType> types = WeightTypes.choose(device, List.of(graph));
    Map<BufferType, List<Tensor>> byType = new LinkedHashMap<>();
    long total = 0;
    for (Tensor leaf : graph.leaves()) {
      if (leaf.operation() instanceof Operation.Weight) {
        BufferType type = types.getOrDefault(leaf.name(), device.bufferType());
        byType.computeIfAbsent(type, t -> new ArrayList<>()).add(leaf);
        total += leaf.bytes();
      }
    }
    List<Allocation> allocations = new ArrayList<>();
    try {
      for (var entry : byType.entrySet()) {
        allocations.add(entry.getKey().allocate(entry.getValue()));
      }
      long done = 0;
      for (Allocation allocation : allocations) {
        for (Storage storage : allocation.storages()) {
          backend.set(storage, 0, model.weight(storage.tensor().name()));
          done += storage.tensor().bytes();
          progress.at(done, total);
        }
      }
      backend.synchronize();
      return allocations;
    } catch (RuntimeException | Error e) {
      settle(backend);
      allocations.forEach(Allocation::close);
      throw e;
    }
  }

  /** What was handed over before the failure is still being written. */
  private static void settle(Backend backend) {
    try {
      backend.synchronize();
    } catch (RuntimeException e) {
      // the failure that is under way says more
    }
  }
}
