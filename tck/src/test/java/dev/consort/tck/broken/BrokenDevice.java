// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.DataType;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingComm;
import dev.consort.tck.wrap.DelegatingDevice;
import dev.consort.tck.wrap.DelegatingEvent;
import dev.consort.tck.wrap.DelegatingPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A sound device with one thing wrong. */
final class BrokenDevice extends DelegatingDevice {
  /** What is wrong. */
  enum Defect {
    NONE,
    /** Products of Q4_0 weights with seven columns have one wrong element. */
    WRONG_RESULT,
    /** A backend does not wait for events. */
    AWAIT_DOES_NOTHING,
    /** Events say at once that they are done. */
    EVENTS_ARE_DONE_AT_ONCE,
    /** A byte behind the end of each sum is written. */
    WRITES_PAST_THE_END,
    /** One member's sum differs in its last bit. */
    MEMBERS_DIFFER,
    /** The last bit of all sums changes from reduce to reduce. */
    REDUCES_DIFFER,
    /** Only the first data written to an input count. */
    INPUTS_ARE_KEPT,
    /** Everything but products of F32 is refused. */
    REFUSES
  }

  private final Defect defect;

  BrokenDevice(int index, Defect defect) {
    super(
        new ReferenceDevice(
            ReferenceOptions.of(index)
                .adversary(
                    new Adversary(
                        5, Duration.ofNanos(200_000), Set.of(Adversary.Trait.DELAYS), List.of()))));
    this.defect = defect;
  }

  @Override
  public Support supports(Tensor node) {
    return defect == Defect.REFUSES && node.sources().getFirst().type() != DataType.F32
        ? Support.no("not made for this")
        : super.supports(node);
  }

  @Override
  protected DelegatingBackend wrap(Backend backend) {
    return new BrokenBackend(backend);
  }

  @Override
  protected DelegatingEvent wrap(Event event) {
    return defect == Defect.EVENTS_ARE_DONE_AT_ONCE ? new HastyEvent(event) : super.wrap(event);
  }

  @Override
  protected Comm wrap(Comm comm, List<Backend> members) {
    return new BrokenComm(comm, members);
  }

  private final class HastyEvent extends DelegatingEvent {
    HastyEvent(Event delegate) {
      super(BrokenDevice.this, delegate);
    }

    @Override
    public boolean isDone() {
      return true;
    }

    @Override
    public void await(Duration timeout) {}
  }

  /** A plan and what to spoil after it. */
  private static final class BrokenPlan extends DelegatingPlan {
    private final Optional<Storage> spoiled;

    BrokenPlan(Backend backend, Plan delegate, Optional<Storage> spoiled) {
      super(backend, delegate);
      this.spoiled = spoiled;
    }
  }

  private final class BrokenBackend extends DelegatingBackend {
    private final MemorySegment nonsense = Arena.ofAuto().allocate(4);
    private final Set<String> written = new HashSet<>();

    BrokenBackend(Backend delegate) {
      super(BrokenDevice.this, delegate);
      nonsense.set(ValueLayout.JAVA_FLOAT, 0, 1000);
    }

    @Override
    public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
      Optional<Storage> spoiled =
          graph.nodes().stream().filter(this::spoils).findFirst().map(allocation::storage);
      return new BrokenPlan(this, delegate().compile(graph, schedule, allocation), spoiled);
    }

    private boolean spoils(Tensor node) {
      return switch (defect) {
        case WRONG_RESULT ->
            node.operation() instanceof Operation.MatMul
                && node.source(0).type() == DataType.Q4_0
                && node.ne(1) == 7;
        case WRITES_PAST_THE_END -> node.operation() instanceof Operation.Sum;
        default -> false;
      };
    }

    @Override
    public void submit(Plan plan) {
      super.submit(plan);
      ((BrokenPlan) plan).spoiled.ifPresent(this::spoil);
    }

    private void spoil(Storage storage) {
      if (defect == Defect.WRONG_RESULT) {
        delegate().set(storage, 4, nonsense);
      } else {
        Tensor window = new GraphBuilder().input("window", DataType.F32, Shape.of(1));
        long end = storage.offset() + storage.tensor().bytes();
        delegate().set(new Storage(window, storage.buffer(), end), 0, nonsense.asSlice(0, 1));
      }
    }

    @Override
    public void set(Storage to, long offset, MemorySegment from) {
      boolean first = written.add(to.tensor().name() + to.buffer().hashCode());
      if (defect != Defect.INPUTS_ARE_KEPT || first) {
        super.set(to, offset, from);
      }
    }

    @Override
    public void await(Event event) {
      if (defect != Defect.AWAIT_DOES_NOTHING) {
        super.await(event);
      }
    }
  }

  private final class BrokenComm extends DelegatingComm {
    private final MemorySegment bits = Arena.ofAuto().allocate(4);
    private int reduces;

    BrokenComm(Comm delegate, List<Backend> members) {
      super(delegate, members);
    }

    @Override
    public void allreduce(List<Storage> partials) {
      super.allreduce(partials);
      reduces++;
      for (int rank = 0; rank < partials.size(); rank++) {
        boolean spoil =
            switch (defect) {
              case MEMBERS_DIFFER -> rank == 1;
              case REDUCES_DIFFER -> reduces % 2 == 0;
              default -> false;
            };
        if (spoil && partials.get(rank).tensor().bytes() > 0) {
          flipLastBit(members().get(rank), partials.get(rank));
        }
      }
    }

    private void flipLastBit(Backend member, Storage storage) {
      member.get(storage, 0, bits);
      member.synchronize();
      bits.set(ValueLayout.JAVA_INT, 0, bits.get(ValueLayout.JAVA_INT, 0) ^ 1);
      member.set(storage, 0, bits);
      member.synchronize();
    }
  }
}
