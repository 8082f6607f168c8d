// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Placement before loading: spreads a graph over the members and asks each of them about the very
 * operations it would get. What a member refuses {@link Alternatives} are found for, which is
 * noted; if nobody is left, the error lists every refusal.
 */
final class Placement {
  private Placement() {}

  /**
   * @param known what was done for other graphs of the same weights; done for this one too
   */
  static Spread spread(
      Graph graph,
      List<Device> members,
      Remedies known,
      Split split,
      boolean oneArithmetic,
      WirePolicy wire) {
    Remedies remedies = known.copy();
    while (true) {
      Spread spread =
          split == Split.LAYER
              ? staged(graph, members.size(), remedies.copy())
              : sharded(graph, members.size(), remedies.copy(), oneArithmetic, wire);
      List<List<Graph>> pieces = new ArrayList<>();
      boolean retry = false;
      var alternatives = new Alternatives(spread, members, split, remedies);
      for (int m = 0; m < members.size(); m++) {
        List<Graph> own =
            spread.active()[m]
                ? spread.programs().program(m, Optional.empty()).pieces()
                : List.of();
        pieces.add(own);
        retry |= alternatives.find(m, own);
      }
      if (Arrays.stream(remedies.shares()).sum() <= 0) {
        throw new ConsortException(
            ErrorCode.UNSUPPORTED,
            "no member can run this model: " + String.join("; ", remedies.notes()));
      }
      if (!retry) {
        return finish(spread, members, pieces);
      }
    }
  }

  /** Tensors that no graph was spread for lie as they declare. */
  static Spread declared(Collection<Tensor> tensors, int members, double[] shares) {
    Partition partition = Partitioner.partition(tensors, shares);
    Map<Tensor, SplitState> leaves = new HashMap<>();
    tensors.forEach(tensor -> leaves.put(tensor, SplitState.declared(tensor)));
    boolean[] active = new boolean[members];
    Arrays.fill(active, true);
    return new Spread(
        Graph.of(List.of(), List.of()),
        partition,
        active,
        leaves,
        Map.of(),
        Collections.nCopies(members, Map.of()),
        (member, comm) -> {
          throw new ConsortException(ErrorCode.INTERNAL, "there is no graph to run");
        },
        0,
        new Remedies(shares),
        List.of());
  }

  private static Spread sharded(
      Graph graph, int members, Remedies remedies, boolean oneArithmetic, WirePolicy wire) {
    double[] shares = remedies.shares();
    Sharding.Sharded sharded = Sharding.of(graph, oneArithmetic, remedies::home);
    List<Tensor> split =
        graph.leaves().stream()
            .filter(leaf -> sharded.leaves().get(leaf) instanceof SplitState.OnAxis)
            .toList();
    Partition partition = Partitioner.partition(split, shares);
    boolean[] active = new boolean[members];
    for (int m = 0; m < members; m++) {
      active[m] = shares[m] > 0 && (partition.hasWork(m) || remedies.isHome(m));
    }
    return new Spread(
        graph,
        partition,
        active,
        sharded.leaves(),
        sharded.outputs(),
        List.of(),
        (member, comm) -> new MemberGraph(member, partition, comm, wire, remedies).rewrite(sharded),
        sharded.exchanges(ExchangeKind.REDUCE),
        remedies,
        sharded.notes());
  }

  private static Spread staged(Graph graph, int members, Remedies remedies) {
    var stages = new Stages(graph, remedies);
    Map<Tensor, SplitState> leaves = new HashMap<>();
    graph.leaves().forEach(leaf -> leaves.put(leaf, stages.leaf(leaf)));
    Map<Tensor, SplitState> outputs = new HashMap<>();
    graph.outputs().forEach(output -> outputs.put(output.root(), stages.output(output)));
    boolean[] active = new boolean[members];
    for (int m = 0; m < members; m++) {
      active[m] = stages.hasWork(m);
    }
    return new Spread(
        graph,
        new Partition(members, Map.of()),
        active,
        leaves,
        outputs,
        List.of(),
        (member, comm) -> stages.program(member),
        0,
        remedies,
        List.of());
  }

  private static Spread finish(Spread spread, List<Device> members, List<List<Graph>> pieces) {
    List<Map<String, BufferType>> types = new ArrayList<>();
    for (int m = 0; m < members.size(); m++) {
      types.add(WeightTypes.choose(members.get(m), pieces.get(m)));
    }
    List<String> all = new ArrayList<>(spread.notes());
    all.addAll(spread.remedies().notes());
    return new Spread(
        spread.graph(),
        spread.partition(),
        spread.active(),
        spread.leaves(),
        spread.outputs(),
        types,
        spread.programs(),
        spread.reduces(),
        spread.remedies(),
        List.copyOf(all));
  }
}
