// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import dev.consort.host.meta.SplitState.OnAxis;
import dev.consort.host.meta.SplitState.Owned;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * Decides how every tensor of a graph lies on the members, and where members must exchange data.
 *
 * <p>Walks the graph once with {@link SplitRules}. A sum is reduced where an operation first needs
 * the whole of it, which puts the reduce behind everything linear: behind the weighted sum of the
 * experts, not before it. A weight that no rule can carry as declared is mirrored and noted.
 */
final class Sharding {
  /** One thing that happens, in order. */
  sealed interface Item {}

  /**
   * Every member computes its piece of the node, its sources being in these states; or the member
   * that owns the result computes all of it.
   */
  record Compute(Tensor node, List<SplitState> sources, SplitState result) implements Item {}

  /** The members exchange data of a tensor that has storage of its own. */
  record Exchange(ExchangeKind kind, Tensor tensor, SplitState before) implements Item {}

  /**
   * A graph with its states and exchanges.
   *
   * @param leaves the state of every leaf
   * @param outputs the state in which the root of every output ends
   * @param notes what had to be mirrored or gathered, for people
   */
  record Sharded(
      Graph graph,
      List<Item> items,
      Map<Tensor, SplitState> leaves,
      Map<Tensor, SplitState> outputs,
      List<String> notes) {
    long exchanges(ExchangeKind kind) {
      return items.stream().filter(i -> i instanceof Exchange e && e.kind() == kind).count();
    }
  }

  private final Graph graph;
  private final boolean oneArithmetic;
  private final Function<Tensor, OptionalInt> homes;
  private final Set<String> mirroredWeights;
  private final List<Item> items = new ArrayList<>();
  private final Map<Tensor, SplitState> states = new IdentityHashMap<>();
  private final Map<Tensor, SplitState> leaves = new IdentityHashMap<>();
  private final Set<String> notes = new LinkedHashSet<>();

  private Sharding(
      Graph graph,
      boolean oneArithmetic,
      Function<Tensor, OptionalInt> homes,
      Set<String> mirroredWeights) {
    this.graph = graph;
    this.oneArithmetic = oneArithmetic;
    this.homes = homes;
    this.mirroredWeights = mirroredWeights;
  }

  /**
   * @param oneArithmetic whether all members give bitwise equal results, so that each may decide
   *     discrete things for itself
   */
  static Sharded of(Graph graph, boolean oneArithmetic) {
    return of(graph, oneArithmetic, node -> OptionalInt.empty());
  }

  /**
   * As above.
   *
   * @param homes the one member that computes a node for all, if it is not left to each
   */
  static Sharded of(Graph graph, boolean oneArithmetic, Function<Tensor, OptionalInt> homes) {
    Set<String> mirroredWeights = new HashSet<>();
    while (true) {
      var attempt = new Sharding(graph, oneArithmetic, homes, mirroredWeights);
      int before = mirroredWeights.size();
      attempt.walk();
      if (mirroredWeights.size() == before) {
        return attempt.result();
      }
    }
  }

  private Sharded result() {
    Map<Tensor, SplitState> outputs = new HashMap<>();
    for (Tensor output : graph.outputs()) {
      convert(output, false);
      outputs.put(owner(output), states.get(owner(output)));
    }
    mirroredWeights.stream()
        .filter(name -> !isReadAtHomesOnly(name))
        .forEach(name -> notes.add(name + " is mirrored: no rule carries its split"));
    return new Sharded(graph, List.copyOf(items), leaves, outputs, List.copyOf(notes));
  }

  private boolean isReadAtHomesOnly(String weight) {
    return graph.nodes().stream()
        .filter(node -> node.sources().stream().anyMatch(s -> s.root().name().equals(weight)))
        .allMatch(node -> home(node).isPresent());
  }

  private void walk() {
    Map<Tensor, Integer> kept = StateHomes.of(graph, homes);
    for (Tensor leaf : graph.leaves()) {
      SplitState state =
          kept.containsKey(leaf)
              ? new Owned(kept.get(leaf))
              : mirroredWeights.contains(leaf.name())
                  ? SplitState.MIRRORED
                  : SplitState.declared(leaf);
      states.put(leaf, state);
      leaves.put(leaf, state);
    }
    for (Tensor node : graph.nodes()) {
      compute(node);
    }
  }

  private void compute(Tensor node) {
    OptionalInt home = home(node);
    if (home.isPresent()) {
      computeAt(home.getAsInt(), node);
      return;
    }
    if (node.isView() && state(node) instanceof Owned) {
      return;
    }
    if (!node.isView()) {
      node.sources().forEach(this::send);
    }
    List<SplitState> in = node.sources().stream().map(this::state).toList();
    SplitRules.Rule rule = SplitRules.of(node, in);
    for (int i = 0; i < in.size(); i++) {
      if (!in.get(i).equals(rule.sources().get(i)) && rule.sources().get(i).isMirrored()) {
        require(node, node.source(i), in.get(i));
      }
    }
    states.put(node, rule.result());
    if (node.isView()) {
      return;
    }
    items.add(new Compute(node, rule.sources(), rule.result()));
    if (node.operation() instanceof Operation.TopK && !oneArithmetic) {
      items.add(new Exchange(ExchangeKind.BROADCAST, node, SplitState.MIRRORED));
    }
  }

  /** What touches a state is computed by one member only if that member alone keeps the state. */
  private OptionalInt home(Tensor node) {
    OptionalInt home = node.isView() ? OptionalInt.empty() : homes.apply(node);
    boolean kept = StateHomes.touched(node).allMatch(root -> leaves.get(root) instanceof Owned);
    return kept ? home : OptionalInt.empty();
  }

  /** One member computes all of the node, from sources that it has whole. */
  private void computeAt(int home, Tensor node) {
    for (Tensor source : node.sources()) {
      if (!(state(source) instanceof Owned o) || o.member() != home) {
        send(source);
        SplitState have = state(source);
        if (!have.isMirrored()) {
          require(node, source, have);
        }
      }
    }
    states.put(node, new Owned(home));
    items.add(
        new Compute(node, node.sources().stream().map(this::state).toList(), states.get(node)));
  }

  /** What one member has, all have from here on. */
  private void send(Tensor tensor) {
    Tensor root = owner(tensor);
    if (states.get(root) instanceof Owned owned) {
      items.add(new Exchange(ExchangeKind.BROADCAST, root, owned));
      states.put(root, SplitState.MIRRORED);
    }
  }

  /** A view's state follows from its source's, which an exchange may have changed meanwhile. */
  private SplitState state(Tensor tensor) {
    if (!tensor.isView()) {
      return states.get(tensor);
    }
    if (states.get(owner(tensor)) instanceof Owned owned) {
      return owned;
    }
    return SplitRules.of(tensor, List.of(state(tensor.source(0)))).result();
  }

  private void require(Tensor node, Tensor source, SplitState have) {
    Tensor root = source.root();
    if (root.isLeaf()) {
      mirroredWeights.add(root.name());
      return;
    }
    if (have instanceof OnAxis && home(node).isEmpty()) {
      notes.add(
          "%s of %s is gathered: %s has no rule for its split on %s"
              .formatted(source.name(), node.name(), node.operation().label(), have.label()));
    }
    convert(source, true);
  }

  /** Sums are reduced; slices are gathered if the tensor is needed whole. */
  private void convert(Tensor tensor, boolean whole) {
    send(tensor);
    Tensor root = owner(tensor);
    SplitState state = states.get(root);
    if (state.isPartial()) {
      items.add(new Exchange(ExchangeKind.REDUCE, root, state));
      states.put(root, SplitState.MIRRORED);
    } else if (state instanceof OnAxis && whole) {
      items.add(new Exchange(ExchangeKind.GATHER, root, state));
      states.put(root, SplitState.MIRRORED);
    }
  }

  private static Tensor owner(Tensor tensor) {
    Tensor at = tensor;
    while (at.isView()) {
      at = at.source(0);
    }
    return at;
  }
}
