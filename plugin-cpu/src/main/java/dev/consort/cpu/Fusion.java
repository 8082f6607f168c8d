// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import dev.consort.api.Wire;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Groups nodes that run as one: a norm with the multiplication behind it, all products of weights
 * with the same activations, which are then quantised once, and a product with the sum over members
 * that it is a term of.
 */
final class Fusion {
  private final Graph graph;
  private final Map<Tensor, List<Tensor>> readers = new IdentityHashMap<>();
  private final Set<Tensor> taken = Collections.newSetFromMap(new IdentityHashMap<>());

  private Fusion(Graph graph) {
    this.graph = graph;
    for (Tensor node : graph.nodes()) {
      for (Tensor source : node.sources()) {
        readers.computeIfAbsent(source, key -> new ArrayList<>()).add(node);
      }
    }
  }

  static List<List<Tensor>> groups(Graph graph) {
    var fusion = new Fusion(graph);
    List<List<Tensor>> groups = new ArrayList<>();
    for (Tensor node : graph.nodes()) {
      if (!node.isView() && !fusion.taken.contains(node)) {
        List<Tensor> group = fusion.group(node);
        fusion.taken.addAll(group);
        groups.add(group);
      }
    }
    return groups;
  }

  private List<Tensor> group(Tensor node) {
    return switch (node.operation()) {
      case Operation.RmsNorm op -> norm(node);
      case Operation.MatMul op when isWeight(node.source(0)) -> products(node);
      default -> List.of(node);
    };
  }

  private List<Tensor> norm(Tensor node) {
    List<Tensor> users = readers.getOrDefault(node, List.of());
    if (users.size() == 1 && !graph.outputs().contains(node)) {
      Tensor user = users.getFirst();
      if (user.operation() instanceof Operation.Binary op
          && op.kind() == Operation.Binary.Kind.MUL
          && user.source(0) == node
          && isWeight(user.source(1))
          && user.source(1).ne(0) == node.ne(0)
          && user.source(1).isContiguous()) {
        return List.of(node, user);
      }
    }
    return List.of(node);
  }

  private List<Tensor> products(Tensor node) {
    List<Tensor> products = sameActivations(node);
    List<Tensor> users = readers.getOrDefault(node, List.of());
    if (products.size() == 1 && users.size() == 1 && !graph.outputs().contains(node)) {
      Tensor user = users.getFirst();
      if (user.operation() instanceof Operation.AllReduce op
          && op.member() instanceof CpuCommMember member
          && member.comm().wire().wire(user.shape().elements()) == Wire.F32) {
        return List.of(node, user);
      }
    }
    return products;
  }

  private List<Tensor> sameActivations(Tensor node) {
    return readers.get(node.source(1)).stream()
        .filter(user -> user.operation() instanceof Operation.MatMul)
        .filter(user -> user.source(1) == node.source(1) && isWeight(user.source(0)))
        .filter(user -> !taken.contains(user))
        .distinct()
        .toList();
  }

  private static boolean isWeight(Tensor tensor) {
    return tensor.operation() instanceof Operation.Weight;
  }
}
