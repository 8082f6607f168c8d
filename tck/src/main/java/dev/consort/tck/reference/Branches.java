// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Schedule.Step;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A schedule that orders two steps only where data, a state's versions or a collective do. */
final class Branches {
  /** Asked for so that somebody must provide it. */
  private static final long SCRATCH_BYTES = 192;

  private Branches() {}

  static Schedule schedule(Graph graph) {
    List<Step> steps = new ArrayList<>();
    Map<Tensor, Integer> stepOf = new IdentityHashMap<>();
    Map<Tensor, List<Integer>> users = new HashMap<>();
    int lastCollective = -1;
    for (Tensor node : graph.nodes()) {
      if (node.isView()) {
        continue;
      }
      int index = steps.size();
      Set<Integer> after = new TreeSet<>();
      for (Tensor source : node.sources()) {
        Tensor maker = maker(source);
        if (stepOf.containsKey(maker)) {
          after.add(stepOf.get(maker));
        }
        users.computeIfAbsent(source.root(), root -> new ArrayList<>()).add(index);
      }
      if (node.operation() instanceof Operation.SetRows) {
        users.get(node.root()).stream().filter(user -> user < index).forEach(after::add);
      }
      if (node.operation() instanceof Operation.AllReduce) {
        if (lastCollective >= 0) {
          after.add(lastCollective);
        }
        lastCollective = index;
      }
      stepOf.put(node, index);
      steps.add(new Step(List.of(node), List.copyOf(after)));
    }
    return new Schedule(steps, SCRATCH_BYTES);
  }

  /** The tensor whose computation makes what {@code tensor} shows. */
  private static Tensor maker(Tensor tensor) {
    Tensor at = tensor;
    while (at.isView()) {
      at = at.source(0);
    }
    return at;
  }
}
