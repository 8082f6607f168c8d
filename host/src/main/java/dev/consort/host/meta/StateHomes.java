// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** States that one member keeps alone, because it computes all that reads or writes them. */
final class StateHomes {
  private StateHomes() {}

  /** The states that a node reads or writes. */
  static Stream<Tensor> touched(Tensor node) {
    return node.sources().stream()
        .map(Tensor::root)
        .filter(root -> root.operation() instanceof Operation.State)
        .distinct();
  }

  /** All nodes that must be computed by one member if this one is: those of the same states. */
  static List<Tensor> together(Graph graph, Tensor node) {
    Set<Tensor> states = new HashSet<>(touched(node).toList());
    int before = -1;
    while (states.size() > before) {
      before = states.size();
      computed(graph)
          .filter(other -> touched(other).anyMatch(states::contains))
          .toList()
          .forEach(other -> touched(other).forEach(states::add));
    }
    return computed(graph)
        .filter(other -> other == node || touched(other).anyMatch(states::contains))
        .toList();
  }

  /**
   * The home of each state that has one. None has if the nodes of any state have several, or only
   * some of them one.
   */
  static Map<Tensor, Integer> of(Graph graph, Function<Tensor, OptionalInt> homes) {
    Map<Tensor, OptionalInt> found = new IdentityHashMap<>();
    for (Tensor node : computed(graph).toList()) {
      OptionalInt home = homes.apply(node);
      for (Tensor state : touched(node).toList()) {
        OptionalInt known = found.putIfAbsent(state, home);
        if (known != null && !known.equals(home)) {
          return Map.of();
        }
      }
    }
    Map<Tensor, Integer> kept = new IdentityHashMap<>();
    found.forEach((state, home) -> home.ifPresent(member -> kept.put(state, member)));
    return kept;
  }

  private static Stream<Tensor> computed(Graph graph) {
    return graph.nodes().stream().filter(node -> !node.isView());
  }
}
