// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One step after another. A norm and the product with its weight are one, and so are products of
 * weights of one type with the same few activations.
 */
final class Scheduling {
  private Scheduling() {}

  static Schedule of(Graph graph, int processors) {
    Map<Tensor, Integer> readers = new IdentityHashMap<>();
    for (Tensor node : graph.nodes()) {
      node.sources().forEach(source -> readers.merge(source, 1, Integer::sum));
    }
    Set<Tensor> fused = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Tensor node : graph.nodes()) {
      if (isWeightedNorm(graph, readers, node)) {
        fused.add(node.source(0));
      }
    }
    List<List<Tensor>> groups = new ArrayList<>();
    Set<Tensor> joined = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Tensor node : graph.nodes()) {
      if (!node.isView() && !fused.contains(node) && !joined.contains(node)) {
        boolean ends = !node.sources().isEmpty() && fused.contains(node.source(0));
        List<Tensor> group = ends ? List.of(node.source(0), node) : products(graph, node);
        joined.addAll(group);
        groups.add(group);
      }
    }
    long scratch = 0;
    for (List<Tensor> group : groups) {
      var step = new Schedule.Step(group, List.of());
      scratch = Math.max(scratch, CudaKernels.scratchBytes(step, processors));
    }
    return Schedule.sequential(groups, scratch);
  }

  /** The node, and if it is a product, those later in the graph that join it. */
  private static List<Tensor> products(Graph graph, Tensor node) {
    if (!MatrixKernels.joins(node)) {
      return List.of(node);
    }
    return graph.nodes().stream()
        .dropWhile(other -> other != node)
        .filter(other -> MatrixKernels.joins(other) && MatrixKernels.join(node, other))
        .limit(MatrixKernels.MOST_JOINED)
        .toList();
  }

  private static boolean isWeightedNorm(Graph graph, Map<Tensor, Integer> readers, Tensor node) {
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
        && weight.isLeaf()
        && weight.type() == DataType.F32
        && weight.ne(0) == norm.ne(0)
        && weight.shape().rows() == 1
        && weight.isContiguous()
        && !norm.shape().isEmpty();
  }
}
