// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * How a backend wants to run a graph. The allocator places tensors knowing it, the backend then
 * compiles with it.
 *
 * @param steps in an order that respects {@link Step#after()}
 * @param scratchBytes memory that the plan needs for itself while it runs
 */
@Stable(since = "1.0")
public record Schedule(List<Step> steps, long scratchBytes) {

  public Schedule {
    steps = List.copyOf(steps);
  }

  /**
   * Nodes that run as one. A node that only nodes of the same step read needs no storage, unless it
   * is an output of the graph; see {@link #stored}.
   *
   * @param nodes in the order of the graph; views belong to no step
   * @param after indices of earlier steps that happen before this one. Two steps of which neither
   *     happens before the other, directly or over others, may run at once, and share no memory
   *     that one of them writes
   */
  public record Step(List<Tensor> nodes, List<Integer> after) {
    public Step {
      nodes = List.copyOf(nodes);
      after = List.copyOf(after);
    }

    /** The node whose result the step is for. */
    public Tensor last() {
      return nodes.getLast();
    }
  }

  /** One node a step, one step after another. */
  public static Schedule sequential(Graph graph) {
    List<List<Tensor>> groups = new ArrayList<>();
    graph.nodes().stream()
        .filter(node -> !node.isView())
        .forEach(node -> groups.add(List.of(node)));
    return sequential(groups, 0);
  }

  /** The given fused groups, one after another. */
  public static Schedule sequential(List<List<Tensor>> groups, long scratchBytes) {
    List<Step> steps =
        IntStream.range(0, groups.size())
            .mapToObj(i -> new Step(groups.get(i), i == 0 ? List.of() : List.of(i - 1)))
            .toList();
    return new Schedule(steps, scratchBytes);
  }

  /**
   * The computed tensors that need storage: outputs of the graph, and those that another step than
   * their own reads, directly or through views. Tensors with a base lie in their base's storage and
   * are not listed.
   */
  public List<Tensor> stored(Graph graph) {
    Set<Tensor> needed = new HashSet<>();
    graph.outputs().forEach(output -> needed.add(output.root()));
    for (Step step : steps) {
      Set<Tensor> own = new HashSet<>(step.nodes());
      for (Tensor node : step.nodes()) {
        for (Tensor source : node.sources()) {
          if (!own.contains(source.root())) {
            needed.add(source.root());
          }
        }
      }
    }
    return graph.nodes().stream()
        .filter(node -> node.base().isEmpty() && needed.contains(node))
        .toList();
  }
}
