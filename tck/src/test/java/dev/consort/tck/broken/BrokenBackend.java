// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.SetTensor2d;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A sound device's stream with one thing wrong. */
final class BrokenBackend extends DelegatingBackend {
  private final BrokenDevice device;
  private final Defect defect;
  private final MemorySegment nonsense = Arena.ofAuto().allocate(4);
  private final Set<String> written = new HashSet<>();
  private Runnable held = () -> {};
  private int runs;

  BrokenBackend(BrokenDevice device, Backend delegate) {
    super(device, delegate);
    this.device = device;
    this.defect = device.defect();
    nonsense.set(ValueLayout.JAVA_FLOAT, 0, 1000);
  }

  /** A plan and what to spoil after it. */
  private static final class BrokenPlan extends DelegatingPlan {
    private final Defect defect;
    private final Optional<Storage> spoiled;

    BrokenPlan(Backend backend, Plan delegate, Defect defect, Optional<Storage> spoiled) {
      super(backend, delegate);
      this.defect = defect;
      this.spoiled = spoiled;
    }

    @Override
    public void close() {
      if (defect != Defect.CLOSED_PLANS_RUN) {
        super.close();
      }
    }
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    if (defect == Defect.REFUSES) {
      refuse(graph);
    }
    Optional<Storage> spoiled =
        graph.nodes().stream().filter(this::spoils).findFirst().map(allocation::storage);
    Plan plan =
        new BrokenPlan(this, delegate().compile(graph, schedule, allocation), defect, spoiled);
    if (defect == Defect.KEEPS_PLANS) {
      device.kept.add(plan);
    }
    return plan;
  }

  private void refuse(Graph graph) {
    for (Tensor node : graph.nodes()) {
      Support support = node.isView() ? Support.yes() : device.supports(node);
      if (!support.supported()) {
        throw new ConsortException(ErrorCode.UNSUPPORTED, support.reason());
      }
    }
  }

  private boolean spoils(Tensor node) {
    return switch (defect) {
      case WRONG_RESULT ->
          node.operation() instanceof Operation.MatMul
              && node.source(0).type() == DataType.Q4_0
              && node.ne(1) == 7;
      case WRITES_PAST_THE_END -> node.operation() instanceof Operation.Sum;
      case RUNS_DIFFER -> node.operation() instanceof Operation.SoftMax;
      default -> false;
    };
  }

  @Override
  public void submit(Plan plan) {
    flush();
    super.submit(plan);
    runs++;
    ((BrokenPlan) plan).spoiled.ifPresent(this::spoil);
  }

  private void spoil(Storage storage) {
    if (defect == Defect.WRONG_RESULT) {
      delegate().set(storage, 4, nonsense);
    } else if (defect == Defect.RUNS_DIFFER) {
      if (runs % 2 == 0) {
        flipLastBit(delegate(), storage);
      }
    } else {
      Tensor window = new GraphBuilder().input("window", DataType.F32, Shape.of(1));
      long end = storage.offset() + storage.tensor().bytes();
      delegate().set(new Storage(window, storage.buffer(), end), 0, nonsense.asSlice(0, 1));
    }
  }

  /** Of the first element; blocks. */
  static void flipLastBit(Backend backend, Storage storage) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bits = arena.allocate(4);
      backend.get(storage, 0, bits);
      backend.synchronize();
      bits.set(ValueLayout.JAVA_INT, 0, bits.get(ValueLayout.JAVA_INT, 0) ^ 1);
      backend.set(storage, 0, bits);
      backend.synchronize();
    }
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    flush();
    boolean first = written.add(to.tensor().name() + to.buffer().hashCode());
    if (defect == Defect.INPUTS_ARE_KEPT && !first) {
      return;
    }
    if (defect == Defect.SHARES_STAGING && from.byteSize() <= device.staging.byteSize()) {
      MemorySegment part = device.staging.asSlice(0, from.byteSize());
      part.copyFrom(from);
      super.set(to, offset, part);
      super.synchronize();
      return;
    }
    super.set(to, defect == Defect.OFFSETS_ARE_IGNORED ? 0 : offset, from);
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    flush();
    super.get(from, defect == Defect.NEGATIVE_OFFSETS_WORK ? Math.max(0, offset) : offset, to);
  }

  @Override
  protected void set2d(
      SetTensor2d by,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    long stride = defect == Defect.STRIDES_ARE_IGNORED ? rowBytes : toStride;
    super.set2d(by, to, offset, stride, from, fromStride, rowBytes, rows);
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    flush();
    switch (defect) {
      case CLOSING_DROPS_WORK -> held = () -> super.copy(from, fromOffset, to, toOffset, bytes);
      case COPIES_TOO_LITTLE -> super.copy(from, fromOffset, to, toOffset, Math.max(0, bytes - 1));
      default -> super.copy(from, fromOffset, to, toOffset, bytes);
    }
  }

  private void flush() {
    held.run();
    held = () -> {};
  }

  @Override
  public void record(Event event) {
    flush();
    super.record(event);
  }

  @Override
  public void await(Event event) {
    flush();
    if (defect != Defect.AWAIT_DOES_NOTHING) {
      super.await(event);
    }
  }

  @Override
  public void synchronize() {
    flush();
    super.synchronize();
  }
}
