// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The layer split: each member runs a stage, a run of whole layers, and hands what the next stages
 * read over to them. Layers go to members in proportion to the bytes of their weights; the output
 * head, which belongs to no layer, is where the last layer is and counts there.
 */
final class Stages {
  /** What crosses from one member to another. */
  private record HandOver(int number, int from, int to, Tensor tensor) {}

  private final Graph graph;
  private final Remedies remedies;
  private final int members;
  private final Map<Integer, Integer> stageOfLayer = new HashMap<>();
  private final Map<Tensor, Integer> stages = new IdentityHashMap<>();
  private final Map<Tensor, Set<Integer>> readers = new IdentityHashMap<>();
  private final Map<Tensor, Map<Integer, HandOver>> handOvers = new LinkedHashMap<>();

  Stages(Graph graph, Remedies remedies) {
    this.graph = graph;
    this.remedies = remedies;
    double[] shares = remedies.shares();
    this.members = shares.length;
    assignLayers(shares);
    assignNodes();
  }

  /** On which member, or on all that read it, a leaf lies. */
  SplitState leaf(Tensor leaf) {
    Set<Integer> at = readers.get(leaf);
    if (at.size() == 1) {
      return new SplitState.Owned(at.iterator().next());
    }
    if (!(leaf.operation() instanceof Operation.State)) {
      return SplitState.MIRRORED;
    }
    throw new ConsortException(
        ErrorCode.UNSUPPORTED, leaf + " is used by several layers; choose --split tensor");
  }

  SplitState output(Tensor output) {
    return new SplitState.Owned(stages.get(owner(output)));
  }

  /** Whether the member has any layer. */
  boolean hasWork(int member) {
    return stages.containsValue(member);
  }

  MemberProgram program(int member) {
    var builder = new GraphBuilder();
    Map<Tensor, Tensor> local = new IdentityHashMap<>();
    Map<Tensor, Tensor> leaves = new IdentityHashMap<>();
    List<MemberProgram.Step> steps = new ArrayList<>();
    List<MemberProgram.Meet> last = new ArrayList<>();
    for (Tensor leaf : graph.leaves()) {
      if (readers.get(leaf).contains(member)) {
        Operation own =
            leaf.operation() instanceof Operation.Weight w
                ? new Operation.Weight(remedies.type(member, leaf), w.shape(), w.shard())
                : leaf.operation();
        Tensor mine = builder.add(leaf.name(), own, List.of(), leaf.layer());
        local.put(leaf, mine);
        leaves.put(leaf, mine);
      }
    }
    for (var byReader : handOvers.values()) {
      for (HandOver over : byReader.values()) {
        if (over.to == member) {
          Tensor t = over.tensor;
          Tensor got = builder.input(t.name(), t.type(), t.shape());
          local.put(t, got);
          steps.add(meet(over, got));
        }
      }
    }
    for (Tensor node : graph.nodes()) {
      if (!node.isView() && stages.get(node) == member) {
        List<Tensor> sources =
            node.sources().stream().map(source -> read(builder, local, source)).toList();
        local.put(node, Lowering.add(builder, node, sources, remedies.lowered(member)));
      }
    }
    Map<Tensor, Tensor> outputs = new HashMap<>();
    for (Tensor output : graph.outputs()) {
      if (stages.get(owner(output)) == member) {
        outputs.put(output, read(builder, local, output));
      }
    }
    for (var byReader : handOvers.values()) {
      for (HandOver over : byReader.values()) {
        if (over.from == member) {
          last.add(meet(over, local.get(over.tensor)));
        }
      }
    }
    List<Tensor> nodes = builder.build().nodes();
    if (nodes.isEmpty()) {
      return new MemberProgram(List.of(), List.of(), leaves, outputs);
    }
    steps.add(new MemberProgram.Run(0));
    // To the nearest stage first: then no giver waits for one that waits for what it still holds.
    last.sort(Comparator.comparingInt(MemberProgram.Meet::to));
    steps.addAll(last);
    return MemberGraph.finish(builder, List.of(nodes), steps, leaves, outputs);
  }

  private static MemberProgram.Meet meet(HandOver over, Tensor mine) {
    return new MemberProgram.Meet(
        over.number,
        ExchangeKind.HAND_OVER,
        over.from,
        over.to,
        mine,
        mine,
        over.tensor,
        new SplitState.Owned(over.from));
  }

  private Tensor read(GraphBuilder builder, Map<Tensor, Tensor> local, Tensor full) {
    Tensor known = local.get(full);
    if (known == null) {
      Tensor source = read(builder, local, full.source(0));
      known = builder.add(full.name(), full.operation(), List.of(source), full.layer());
      local.put(full, known);
    }
    return known;
  }

  private void assignLayers(double[] shares) {
    Map<Integer, Long> bytes = new TreeMap<>();
    long head = 0;
    for (Tensor node : graph.nodes()) {
      long own =
          node.sources().stream()
              .filter(s -> s.operation() instanceof Operation.Weight)
              .mapToLong(Tensor::bytes)
              .sum();
      if (node.layer() >= 0) {
        bytes.merge(node.layer(), own + 1, Long::sum);
      } else {
        head += own;
      }
    }
    double total = head + bytes.values().stream().mapToLong(Long::longValue).sum();
    double sum = Arrays.stream(shares).sum();
    double before = 0;
    for (var layer : bytes.entrySet()) {
      double middle = (before + layer.getValue() / 2.0) / total * sum;
      int stage = 0;
      double end = shares[0];
      while (stage < members - 1 && middle >= end) {
        end += shares[++stage];
      }
      stageOfLayer.put(layer.getKey(), stage);
      before += layer.getValue();
    }
  }

  private void assignNodes() {
    for (Tensor leaf : graph.leaves()) {
      readers.put(leaf, new HashSet<>());
    }
    for (Tensor node : graph.nodes()) {
      int stage = stageOfLayer.getOrDefault(node.layer(), 0);
      for (Tensor source : node.sources()) {
        stage = Math.max(stage, stages.getOrDefault(owner(source), 0));
      }
      stages.put(node, stage);
      if (node.isView()) {
        continue;
      }
      for (Tensor source : node.sources()) {
        cross(owner(source), stage);
      }
    }
    for (Tensor output : graph.outputs()) {
      Tensor root = owner(output);
      if (root.isLeaf()) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT, output + " is an output that nothing computes");
      }
    }
    readers.values().stream().filter(Set::isEmpty).forEach(at -> at.add(0));
  }

  private void cross(Tensor source, int stage) {
    if (source.isLeaf()) {
      readers.get(source).add(stage);
    } else if (stages.get(source) < stage) {
      handOvers
          .computeIfAbsent(source, s -> new LinkedHashMap<>())
          .computeIfAbsent(stage, to -> new HandOver(count(), stages.get(source), to, source));
    }
  }

  private int count() {
    return handOvers.values().stream().mapToInt(Map::size).sum();
  }

  private static Tensor owner(Tensor tensor) {
    Tensor at = tensor;
    while (at.isView()) {
      at = at.source(0);
    }
    return at;
  }
}
