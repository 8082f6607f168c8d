// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.api.Wire;
import dev.consort.api.WirePolicy;
import dev.consort.host.meta.SplitState.OnAxis;
import dev.consort.host.meta.SplitState.Owned;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Rewrites a graph for one member: leaves and results have the shapes of its slices, and the graph
 * is cut into pieces where the host carries an exchange.
 *
 * <p>Views are rewritten when they are read, so that they look at what an exchange has put in place
 * of their source.
 */
final class MemberGraph {
  private final int member;
  private final Partition partition;
  private final Optional<Spread.GroupComm> comm;
  private final WirePolicy wire;
  private final Remedies remedies;
  private final GraphBuilder builder = new GraphBuilder();
  private final Map<Tensor, Tensor> local = new IdentityHashMap<>();
  private final Map<Tensor, Tensor> views = new IdentityHashMap<>();
  private final Map<Tensor, Tensor> leaves = new IdentityHashMap<>();
  private final Map<Tensor, SplitState> results = new IdentityHashMap<>();
  private final List<MemberProgram.Step> steps = new ArrayList<>();
  private final List<List<Tensor>> cut = new ArrayList<>();
  private int done;

  /**
   * @param comm the member's side of a comm, if it has one; unless it joins all members, it records
   *     and the host exchanges between groups
   * @param wire how sums travel that the host carries
   * @param remedies what this member does about what it refuses
   */
  MemberGraph(
      int member,
      Partition partition,
      Optional<Spread.GroupComm> comm,
      WirePolicy wire,
      Remedies remedies) {
    this.member = member;
    this.partition = partition;
    this.comm = comm;
    this.wire = wire;
    this.remedies = remedies;
  }

  MemberProgram rewrite(Sharding.Sharded sharded) {
    remember(sharded);
    sharded.leaves().forEach(this::leaf);
    int exchanges = 0;
    for (Sharding.Item item : sharded.items()) {
      switch (item) {
        case Sharding.Compute compute -> compute(compute);
        case Sharding.Exchange exchange -> {
          if (exchange(exchange, exchanges)) {
            exchanges++;
          }
        }
      }
    }
    Map<Tensor, Tensor> outputs = new HashMap<>();
    sharded.graph().outputs().forEach(output -> outputs.put(output, read(output)));
    endPiece();
    return finish(builder, cut, steps, leaves, outputs);
  }

  /** Makes graphs of the cut node lists; what a later piece or an exchange reads is an output. */
  static MemberProgram finish(
      GraphBuilder builder,
      List<List<Tensor>> cut,
      List<MemberProgram.Step> steps,
      Map<Tensor, Tensor> leaves,
      Map<Tensor, Tensor> outputs) {
    Set<Tensor> later = new LinkedHashSet<>();
    outputs.values().forEach(output -> later.add(output.root()));
    for (MemberProgram.Step step : steps) {
      if (step instanceof MemberProgram.Meet meet) {
        later.add(meet.tensor().root());
      }
    }
    List<Graph> pieces = new ArrayList<>();
    for (int p = cut.size() - 1; p >= 0; p--) {
      List<Tensor> nodes = cut.get(p);
      Set<Tensor> own = new HashSet<>(nodes);
      pieces.addFirst(Graph.of(nodes, later.stream().filter(own::contains).toList()));
      nodes.forEach(node -> node.sources().forEach(source -> later.add(source.root())));
      nodes.forEach(node -> node.sources().forEach(later::add));
    }
    return new MemberProgram(pieces, steps, leaves, outputs);
  }

  private void leaf(Tensor full, SplitState state) {
    if (state instanceof Owned o && o.member() != member) {
      return;
    }
    Operation.Leaf op = (Operation.Leaf) full.operation();
    var shape = state.localShape(full.shape(), partition, member);
    Operation own =
        switch (op) {
          case Operation.Input i -> new Operation.Input(i.type(), shape, Optional.empty());
          case Operation.Weight w ->
              new Operation.Weight(remedies.type(member, full), shape, Optional.empty());
          case Operation.State s -> new Operation.State(s.type(), shape, Optional.empty());
        };
    Tensor mine = builder.add(full.name(), own, List.of(), full.layer());
    local.put(full, mine);
    leaves.put(full, mine);
  }

  private void compute(Sharding.Compute compute) {
    Tensor node = compute.node();
    if (compute.result() instanceof Owned o && o.member() != member) {
      return;
    }
    List<Tensor> sources = new ArrayList<>();
    for (int i = 0; i < node.sources().size(); i++) {
      Tensor source = read(node.source(i));
      SplitState wanted = compute.sources().get(i);
      sources.add(wanted instanceof OnAxis on ? slice(node.source(i), source, on) : source);
    }
    put(node, Lowering.add(builder, node, sources, remedies.lowered(member)));
  }

  /** The member's version of a tensor, as exchanges have left it. */
  private Tensor read(Tensor full) {
    if (!full.isView()) {
      return local.get(full);
    }
    Tensor known = views.get(full);
    Tensor source = read(full.source(0));
    if (known != null && known.source(0) == source) {
      return known;
    }
    Tensor view = builder.add(name(full.name()), view(full, source), List.of(source), full.layer());
    views.put(full, view);
    return view;
  }

  private Operation view(Tensor full, Tensor source) {
    return switch (full.operation()) {
      case Operation.Reshape op -> new Operation.Reshape(reshaped(full, source));
      case Operation.Slice op when source.ne(op.axis()) != full.source(0).ne(op.axis()) ->
          segment(full, op, source);
      default -> full.operation();
    };
  }

  /** The full shape with the one extent changed that makes the elements fit. */
  private static Shape reshaped(Tensor full, Tensor source) {
    long elements = source.shape().elements();
    if (elements == full.shape().elements()) {
      return full.shape();
    }
    var from = full.source(0).shape();
    int axis = 0;
    while (source.ne(axis) == from.ne(axis)) {
      axis++;
    }
    long end = 1;
    for (int i = 0; i <= axis; i++) {
      end *= from.ne(i);
    }
    long inner = 1;
    for (int to = 0; ; to++) {
      if (inner * full.ne(to) == end && full.ne(to) > 1) {
        return full.shape().with(to, full.ne(to) * source.ne(axis) / from.ne(axis));
      }
      inner *= full.ne(to);
    }
  }

  private Operation segment(Tensor full, Operation.Slice op, Tensor source) {
    var on = (OnAxis) stateOf(full.source(0), source, op.axis());
    int segment = SplitRules.segment(on, op).orElseThrow();
    long units = partition.units(on.group(), member);
    long start = 0;
    for (int s = 0; s < segment; s++) {
      start += units * on.elementsPerUnit().get(s);
    }
    return new Operation.Slice(op.axis(), start, units * on.elementsPerUnit().get(segment));
  }

  private SplitState stateOf(Tensor full, Tensor mine, int axis) {
    SplitState state = results.get(full);
    if (state == null && full.isView()) {
      return SplitRules.of(full, List.of(stateOf(full.source(0), mine, axis))).result();
    }
    return state == null ? SplitState.declared(full) : state;
  }

  private void remember(Sharding.Sharded sharded) {
    results.putAll(sharded.leaves());
    for (Sharding.Item item : sharded.items()) {
      if (item instanceof Sharding.Compute compute) {
        results.put(compute.node(), compute.result());
      }
    }
  }

  /** Cuts the member's slice out of a tensor that it holds whole. */
  private Tensor slice(Tensor full, Tensor mine, OnAxis on) {
    if (mine.ne(on.axis()) != full.ne(on.axis())
        || partition.units(on.group(), member) == on.group().units()) {
      return mine;
    }
    long perUnit = on.elementsPerUnit().getFirst();
    long start = partition.from(on.group(), member) * perUnit;
    long length = partition.units(on.group(), member) * perUnit;
    Tensor cutOut =
        builder.add(
            name("slice." + full.name()),
            new Operation.Slice(on.axis(), start, length),
            List.of(mine),
            full.layer());
    return cutOut.isContiguous() ? cutOut : copy("copy.", cutOut.type(), cutOut, full);
  }

  /** Returns whether the host carries it. */
  private boolean exchange(Sharding.Exchange exchange, int number) {
    Tensor full = exchange.tensor();
    if (exchange.before() instanceof Owned o && o.member() != member) {
      put(full, builder.input(full.name(), full.type(), full.shape()));
    }
    Tensor mine = local.get(full);
    switch (exchange.kind()) {
      case REDUCE -> {
        if (comm.isPresent() && !comm.get().records()) {
          meet(number, ExchangeKind.REDUCE, mine, mine, exchange);
          return true;
        }
        if (comm.isPresent()) {
          mine =
              builder.add(
                  name("reduce." + full.name()),
                  new Operation.AllReduce(comm.get().comm().member(comm.get().rank())),
                  List.of(mine),
                  full.layer());
          put(full, mine);
          if (comm.get().whole()) {
            return false;
          }
        }
        reduce(number, mine, exchange);
      }
      case BROADCAST -> meet(number, ExchangeKind.BROADCAST, mine, mine, exchange);
      case GATHER -> {
        Tensor whole =
            builder.add(
                name("gather." + full.name()),
                new Operation.Input(full.type(), full.shape(), Optional.empty()),
                List.of(),
                full.layer());
        meet(number, ExchangeKind.GATHER, mine, whole, exchange);
        put(full, whole);
      }
      case HAND_OVER ->
          throw new ConsortException(ErrorCode.INTERNAL, "stages hand over, slices do not");
    }
    return true;
  }

  /** The host reduces, in place for sums that travel as F32. */
  private void reduce(int number, Tensor mine, Sharding.Exchange exchange) {
    Tensor full = exchange.tensor();
    if (wire.wire(full.shape().elements()) == Wire.F32) {
      meet(number, ExchangeKind.REDUCE, mine, mine, exchange);
      return;
    }
    Tensor term = copy("term.", DataType.BF16, mine, full);
    Tensor sum =
        builder.add(
            name("sum." + full.name()),
            new Operation.Input(DataType.BF16, full.shape(), Optional.empty()),
            List.of(),
            full.layer());
    meet(number, ExchangeKind.REDUCE, term, sum, exchange);
    put(full, copy("reduced.", DataType.F32, sum, full));
  }

  private Tensor copy(String prefix, DataType type, Tensor of, Tensor full) {
    return builder.add(
        name(prefix + full.name()), new Operation.Copy(type), List.of(of), full.layer());
  }

  private void meet(
      int number, ExchangeKind kind, Tensor mine, Tensor whole, Sharding.Exchange exchange) {
    endPiece();
    int from = exchange.before() instanceof Owned o ? o.member() : MemberProgram.Meet.ANYONE;
    steps.add(
        new MemberProgram.Meet(
            number, kind, from, -1, mine, whole, exchange.tensor(), exchange.before()));
  }

  private void endPiece() {
    List<Tensor> nodes = builder.build().nodes();
    if (nodes.size() > done) {
      steps.add(new MemberProgram.Run(cut.size()));
      cut.add(List.copyOf(nodes.subList(done, nodes.size())));
      done = nodes.size();
    }
  }

  private void put(Tensor full, Tensor mine) {
    local.put(full, mine);
  }

  private String name(String wanted) {
    String name = wanted;
    for (int i = 2; builder.find(name).isPresent(); i++) {
      name = wanted + "#" + i;
    }
    return name;
  }
}
