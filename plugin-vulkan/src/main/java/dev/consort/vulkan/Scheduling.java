// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Puts a graph's nodes in levels: all of a level's steps may run at once, after the level before.
 * So a plan needs a barrier a level. A norm and the product with its weight become one step.
 */
final class Scheduling {
  private final Graph graph;
  private final Map<Tensor, Integer> readers = new HashMap<>();

  private Scheduling(Graph graph) {
    this.graph = graph;
  }

  static Schedule of(Graph graph, Tuning tuning) {
    return new Scheduling(graph).build(tuning);
  }

  private Schedule build(Tuning tuning) {
    for (Tensor node : graph.nodes()) {
      node.sources().forEach(source -> readers.merge(source, 1, Integer::sum));
    }
    List<List<Tensor>> groups = groups();
    int[] levels = levels(groups);
    List<Integer> order =
        IntStream.range(0, groups.size())
            .boxed()
            .sorted((a, b) -> levels[a] != levels[b] ? levels[a] - levels[b] : a - b)
            .toList();
    List<Schedule.Step> steps = new ArrayList<>();
    List<Integer> before = List.of();
    List<Integer> level = new ArrayList<>();
    long scratch = 0;
    for (int i = 0; i < order.size(); i++) {
      if (i > 0 && levels[order.get(i)] != levels[order.get(i - 1)]) {
        before = List.copyOf(level);
        level.clear();
      }
      level.add(i);
      var step = new Schedule.Step(groups.get(order.get(i)), before);
      scratch = Math.max(scratch, VulkanKernels.scratchBytes(step, tuning));
      steps.add(step);
    }
    return new Schedule(steps, scratch);
  }

  private List<List<Tensor>> groups() {
    Set<Tensor> fused = new HashSet<>();
    List<List<Tensor>> groups = new ArrayList<>();
    for (Tensor node : graph.nodes()) {
      if (isWeightedNorm(node)) {
        fused.add(node.source(0));
      }
    }
    for (Tensor node : graph.nodes()) {
      if (!node.isView() && !fused.contains(node)) {
        groups.add(
            !node.sources().isEmpty() && fused.contains(node.source(0))
                ? List.of(node.source(0), node)
                : List.of(node));
      }
    }
    return groups;
  }

  private boolean isWeightedNorm(Tensor node) {
    if (!(node.operation() instanceof Operation.Binary op)
        || op.kind() != Operation.Binary.Kind.MUL) {
      return false;
    }
    Tensor norm = node.source(0);
    Tensor weight = node.source(1);
    return norm.operation() instanceof Operation.RmsNorm
        && graph.computes(norm)
        && readers.get(norm) == 1
        && graph.outputs().stream().noneMatch(output -> output.root() == norm)
        && weight.type() == DataType.F32
        && weight.ne(0) == norm.ne(0)
        && weight.shape().rows() == 1
        && weight.isContiguous()
        && weight.isLeaf()
        && !norm.shape().isEmpty();
  }

  /** A step is one level above what it reads, and above what read the state it overwrites. */
  private static int[] levels(List<List<Tensor>> groups) {
    Map<Tensor, Integer> written = new HashMap<>();
    Map<Tensor, Integer> read = new HashMap<>();
    int[] levels = new int[groups.size()];
    for (int i = 0; i < levels.length; i++) {
      int level = 0;
      for (Tensor node : groups.get(i)) {
        for (Tensor source : node.sources()) {
          level = Math.max(level, written.getOrDefault(source.root(), 0));
        }
        level = Math.max(level, written.getOrDefault(node.root(), 0));
        level = Math.max(level, read.getOrDefault(node.root(), 0));
      }
      levels[i] = level + 1;
      for (Tensor node : groups.get(i)) {
        for (Tensor source : node.sources()) {
          read.merge(source.root(), levels[i], Math::max);
        }
        written.merge(node.root(), levels[i], Math::max);
      }
    }
    return levels;
  }
}
