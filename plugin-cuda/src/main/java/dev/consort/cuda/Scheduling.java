// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Graph;
import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One step after another; what {@link Fusion} finds is one step, where its last node stands. */
final class Scheduling {
  private final Graph graph;
  private final Chip chip;
  private final Map<Tensor, Integer> order = new IdentityHashMap<>();
  private final Map<Tensor, List<Tensor>> readers = new IdentityHashMap<>();
  private final Map<Tensor, List<Tensor>> fused = new IdentityHashMap<>();
  private final Set<Tensor> taken = Collections.newSetFromMap(new IdentityHashMap<>());

  private Scheduling(Graph graph, Chip chip) {
    this.graph = graph;
    this.chip = chip;
    for (Tensor node : graph.nodes()) {
      order.put(node, order.size());
      if (!node.isView()) {
        node.sources().forEach(source -> read(source, node));
      }
    }
  }

  static Schedule of(Graph graph, Chip chip) {
    List<List<Tensor>> groups = new Scheduling(graph, chip).groups();
    Schedule schedule = Schedule.sequential(groups, 0);
    return new Schedule(schedule.steps(), Scratch.of(schedule.steps(), chip.processors()).bytes());
  }

  private void read(Tensor source, Tensor reader) {
    Tensor origin = source;
    while (origin.isView()) {
      origin = origin.source(0);
    }
    readers.computeIfAbsent(origin, t -> new ArrayList<>()).add(reader);
  }

  private List<List<Tensor>> groups() {
    graph.nodes().stream().filter(node -> !Fusion.isWeightedNorm(node)).forEach(this::fuse);
    graph.nodes().stream().filter(Fusion::isWeightedNorm).forEach(this::fuse);
    List<List<Tensor>> groups = new ArrayList<>();
    for (Tensor node : graph.nodes()) {
      if (fused.containsKey(node)) {
        groups.add(fused.get(node));
      } else if (!node.isView() && !taken.contains(node)) {
        List<Tensor> products = products(node);
        taken.addAll(products);
        groups.add(products);
      }
    }
    return groups;
  }

  private void fuse(Tensor node) {
    Fusion.candidates(node, chip).stream()
        .filter(this::fits)
        .findFirst()
        .map(group -> group.stream().sorted(Comparator.comparing(order::get)).toList())
        .ifPresent(
            group -> {
              fused.put(group.getLast(), group);
              taken.addAll(group);
            });
  }

  /**
   * Whether all of them are computed here and may wait for the last: nobody else reads one before,
   * and nobody else at all reads what {@link Fusion} keeps to itself.
   */
  private boolean fits(List<Tensor> group) {
    int last = 0;
    for (Tensor node : group) {
      if (!order.containsKey(node) || taken.contains(node)) {
        return false;
      }
      last = Math.max(last, order.get(node));
    }
    for (Tensor node : group) {
      boolean internal = Fusion.isInternal(node, group);
      if (internal && graph.outputs().stream().anyMatch(output -> output.root() == node.root())) {
        return false;
      }
      for (Tensor reader : readers.getOrDefault(node, List.of())) {
        if (!group.contains(reader) && (internal || order.get(reader) < last)) {
          return false;
        }
      }
    }
    return true;
  }

  /** The node, and if it is a product, those later in the graph that join it. */
  private List<Tensor> products(Tensor node) {
    if (!MatrixKernels.joins(node)) {
      return List.of(node);
    }
    return graph.nodes().stream()
        .skip(order.get(node))
        .filter(other -> !taken.contains(other))
        .filter(other -> MatrixKernels.joins(other) && MatrixKernels.join(node, other))
        .limit(MatrixKernels.MOST_JOINED)
        .toList();
  }
}
