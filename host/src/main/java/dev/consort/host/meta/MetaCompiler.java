// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import dev.consort.host.memory.Layout;
import dev.consort.host.memory.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a meta plan: each member's pieces are scheduled, placed and compiled by its own backend.
 */
final class MetaCompiler {
  private final MetaBackend backend;
  private final Spread spread;
  private final Allocation whole;
  private final Members members;
  private final List<Comm> comms;
  private final Map<Integer, HandOver> handOvers = new HashMap<>();
  private final Map<Integer, Storage[]> calls = new HashMap<>();
  private final List<Plan> made = new ArrayList<>();

  MetaCompiler(MetaBackend backend, Spread spread, Allocation whole, Members members) {
    this.backend = backend;
    this.spread = spread;
    this.whole = whole;
    this.members = members;
    this.comms = spread.reduces() > 0 ? members.comms(spread.active()) : List.of();
  }

  MetaPlan compile() {
    List<List<MetaPlan.Action>> actions = new ArrayList<>();
    try {
      List<Optional<MemberProgram>> programs = new ArrayList<>();
      for (int m = 0; m < members.count(); m++) {
        programs.add(
            spread.active()[m]
                ? Optional.of(spread.programs().program(m, group(m)))
                : Optional.empty());
      }
      for (int m = 0; m < members.count(); m++) {
        int member = m;
        actions.add(programs.get(m).map(program -> actions(member, program)).orElse(List.of()));
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(made);
      Closing.quietly(handOvers.values());
      throw e;
    }
    return new MetaPlan(backend, actions, List.copyOf(handOvers.values()));
  }

  private Optional<Spread.GroupComm> group(int member) {
    Backend own = members.submitter(member).backend();
    long active = 0;
    for (boolean is : spread.active()) {
      active += is ? 1 : 0;
    }
    for (Comm comm : comms) {
      int rank = comm.members().indexOf(own);
      boolean isWhole = comm.members().size() == active;
      if (rank >= 0 && (isWhole || comm.records())) {
        return Optional.of(new Spread.GroupComm(comm, rank, isWhole));
      }
    }
    return Optional.empty();
  }

  private List<MetaPlan.Action> actions(int member, MemberProgram program) {
    Backend on = members.submitter(member).backend();
    List<Piece> pieces = new ArrayList<>();
    for (Graph graph : program.pieces()) {
      pieces.add(new Piece(graph, on.schedule(graph)));
    }
    Allocation bound = bind(member, program);
    Layout layout =
        new Layout(
            on.device().bufferType(),
            pieces,
            program.received(),
            program.given(),
            bound::holds,
            List.of());
    Allocation allocation =
        Allocation.join(List.of(bound, members.memory(member).allocate(layout)));
    List<MetaPlan.Action> actions = new ArrayList<>();
    for (MemberProgram.Step step : program.steps()) {
      switch (step) {
        case MemberProgram.Run run -> {
          Piece piece = pieces.get(run.piece());
          Plan plan = on.compile(piece.graph(), piece.schedule(), allocation);
          made.add(plan);
          actions.add(new MetaPlan.Submit(plan));
        }
        case MemberProgram.Meet meet -> actions.add(meet(member, meet, allocation));
      }
    }
    return actions;
  }

  /** The member's leaves and outputs, where the whole tensors' pieces lie. */
  private Allocation bind(int member, MemberProgram program) {
    List<Storage> places = new ArrayList<>();
    program.leaves().forEach((full, mine) -> places.add(part(member, full, mine)));
    Set<String> outputs = new HashSet<>();
    program
        .outputs()
        .forEach(
            (full, mine) -> {
              if (!full.root().isLeaf() && outputs.add(mine.root().name())) {
                places.add(part(member, full.root(), mine.root()));
              }
            });
    return Allocation.of(places, List.of());
  }

  private Storage part(int member, Tensor full, Tensor mine) {
    Storage storage = whole.storage(full);
    if (!(storage.buffer() instanceof MetaBuffer buffer)) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, full + " does not lie on this meta device");
    }
    Storage part = buffer.parts(storage).storages()[member];
    if (part == null
        || !part.tensor().shape().equals(mine.shape())
        || part.tensor().type() != mine.type()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%s lies as %s on member %d, but this graph needs %s; allocate after scheduling the graph"
              .formatted(full, part == null ? "nothing" : part.tensor(), member, mine));
    }
    return new Storage(mine, part.buffer(), part.offset());
  }

  private MetaPlan.Action meet(int member, MemberProgram.Meet meet, Allocation allocation) {
    Storage mine = allocation.storage(meet.tensor());
    if (meet.kind() == ExchangeKind.HAND_OVER) {
      HandOver over = handOvers.computeIfAbsent(meet.exchange(), n -> handOver(meet));
      return meet.from() == member ? new MetaPlan.Give(over, mine) : new MetaPlan.Take(over, mine);
    }
    Storage all = allocation.storage(meet.whole());
    Rendezvous place = members.place(spread.active());
    int index = index(member);
    Purpose purpose = purpose(member, meet, mine);
    Rendezvous.Views views =
        place.prepare(index, purpose, mine.tensor().bytes(), all.tensor().bytes());
    return new MetaPlan.Meet(place, index, purpose, mine, all, views);
  }

  /** The member's number among those that have work. */
  private int index(int member) {
    int index = 0;
    for (int m = 0; m < member; m++) {
      index += spread.active()[m] ? 1 : 0;
    }
    return index;
  }

  private Purpose purpose(int member, MemberProgram.Meet meet, Storage mine) {
    return switch (meet.kind()) {
      case REDUCE -> {
        Optional<Spread.GroupComm> group = group(member);
        yield group.isPresent() && !group.get().records()
            ? called(group.get(), meet, mine)
            : new Purpose.Reduce(meet, givers());
      }
      case BROADCAST ->
          new Purpose.Broadcast(
              meet,
              meet.from() == MemberProgram.Meet.ANYONE ? 0 : index(meet.from()),
              meet.full().bytes());
      case GATHER -> new Purpose.Gather(meet, slices(meet));
      case HAND_OVER -> throw new ConsortException(ErrorCode.INTERNAL, "not a meeting of all");
    };
  }

  /** All members share one list, which each completes with its own term. */
  private Purpose.Call called(Spread.GroupComm own, MemberProgram.Meet meet, Storage mine) {
    Storage[] terms =
        calls.computeIfAbsent(meet.exchange(), n -> new Storage[own.comm().members().size()]);
    terms[own.rank()] = mine;
    return new Purpose.Call(meet, own.comm(), Arrays.asList(terms));
  }

  private Rectangle[][] slices(MemberProgram.Meet meet) {
    List<Rectangle[]> slices = new ArrayList<>();
    for (int m = 0; m < members.count(); m++) {
      if (spread.active()[m]) {
        slices.add(TensorParts.rectangles(meet.full(), meet.before(), spread.partition(), m));
      }
    }
    return slices.toArray(Rectangle[][]::new);
  }

  /**
   * In every comm the first member gives the group's sum; members without a comm give their own.
   */
  private boolean[] givers() {
    List<Boolean> gives = new ArrayList<>();
    for (int m = 0; m < members.count(); m++) {
      if (spread.active()[m]) {
        Optional<Spread.GroupComm> group = group(m);
        gives.add(group.isEmpty() || group.get().rank() == 0);
      }
    }
    boolean[] array = new boolean[gives.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = gives.get(i);
    }
    return array;
  }

  private HandOver handOver(MemberProgram.Meet meet) {
    return HandOver.between(
        members.submitter(meet.from()),
        members.submitter(meet.to()),
        Math.max(4, meet.full().bytes()),
        backend.waiting());
  }
}
