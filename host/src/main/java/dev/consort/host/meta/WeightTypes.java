// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.ExtraBufferTypes;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Chooses the memory for weights: the first extra buffer type that suits all who read a weight. */
public final class WeightTypes {
  private WeightTypes() {}

  /** The type for each weight that should lie elsewhere than in the device's default type. */
  public static Map<String, BufferType> choose(Device device, List<Graph> graphs) {
    Optional<ExtraBufferTypes> extra = device.find(ProcAddresses.EXTRA_BUFFER_TYPES);
    if (extra.isEmpty()) {
      return Map.of();
    }
    Map<Tensor, List<Tensor>> users = new LinkedHashMap<>();
    for (Graph graph : graphs) {
      for (Tensor node : graph.nodes()) {
        for (Tensor source : node.sources()) {
          if (source.root().operation() instanceof Operation.Weight) {
            users.computeIfAbsent(source.root(), s -> new ArrayList<>()).add(node);
          }
        }
      }
    }
    Map<String, BufferType> chosen = new HashMap<>();
    users.forEach(
        (weight, nodes) ->
            extra.get().bufferTypes().stream()
                .filter(type -> !weight.shape().isEmpty())
                .filter(type -> acceptedByAll(extra.get(), type, weight, nodes))
                .findFirst()
                .ifPresent(type -> chosen.put(weight.name(), type)));
    return chosen;
  }

  private static boolean acceptedByAll(
      ExtraBufferTypes extra, BufferType type, Tensor weight, List<Tensor> users) {
    return users.stream().allMatch(user -> extra.accepts(type, weight, user).supported());
  }
}
