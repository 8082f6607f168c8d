// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.BufferType;
import dev.consort.api.Comm;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a graph is spread over the members: the answer that placement gives before a weight is read.
 *
 * @param active which members have any work
 * @param leaves where weights, states and inputs lie
 * @param outputs by the output's root tensor
 * @param weightTypes for each member the memory of the weights that lie elsewhere than in its
 *     default
 * @param programs makes the members' programs, given each member's side of a comm
 * @param remedies what was done about what members refuse
 * @param notes what was decided against the declaration, for people
 */
record Spread(
    Graph graph,
    Partition partition,
    boolean[] active,
    Map<Tensor, SplitState> leaves,
    Map<Tensor, SplitState> outputs,
    List<Map<String, BufferType>> weightTypes,
    Programs programs,
    long reduces,
    Remedies remedies,
    List<String> notes) {

  /** Makes member programs. */
  interface Programs {
    MemberProgram program(int member, Optional<GroupComm> comm);
  }

  /** A member's side of the comm that joins its group, and whether the group is everyone. */
  record GroupComm(Comm comm, int rank, boolean whole) {
    /** Whether its reduces stand in the members' graphs; else the host calls it between pieces. */
    boolean records() {
      return comm.records();
    }
  }

  SplitState state(Tensor leafOrOutput) {
    SplitState leaf = leaves.get(leafOrOutput);
    return leaf != null ? leaf : outputs.getOrDefault(leafOrOutput, SplitState.MIRRORED);
  }

  boolean holds(Tensor leafOrOutput) {
    return leaves.containsKey(leafOrOutput) || outputs.containsKey(leafOrOutput);
  }

  /** What the member holds of a leaf or output; its extents may be 0. */
  Optional<Tensor> piece(Tensor tensor, int member) {
    SplitState state = state(tensor);
    if (!active[member] || (state instanceof SplitState.Owned o && o.member() != member)) {
      return Optional.empty();
    }
    Shape shape = state.localShape(tensor.shape(), partition, member);
    Operation leaf =
        switch (tensor.operation()) {
          case Operation.Weight w ->
              new Operation.Weight(remedies.type(member, tensor), shape, Optional.empty());
          case Operation.State s -> new Operation.State(s.type(), shape, Optional.empty());
          default -> new Operation.Input(tensor.type(), shape, Optional.empty());
        };
    return Optional.of(new GraphBuilder().add(tensor.name(), leaf, List.of()));
  }

  /** Whether a graph has the same weights, and at least one. */
  boolean hasWeightsOf(Graph other) {
    Map<String, Operation> own = weights(graph);
    return !own.isEmpty() && own.equals(weights(other));
  }

  private static Map<String, Operation> weights(Graph graph) {
    Map<String, Operation> weights = new HashMap<>();
    for (Tensor leaf : graph.leaves()) {
      if (leaf.operation() instanceof Operation.Weight) {
        weights.put(leaf.name(), leaf.operation());
      }
    }
    return weights;
  }

  int firstActive() {
    int member = 0;
    while (!active[member]) {
      member++;
    }
    return member;
  }
}
