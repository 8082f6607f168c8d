// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Schedule.Step;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.memory.Access;
import dev.consort.tck.memory.PlanAccesses;
import dev.consort.tck.reference.Adversary.Trait;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The steps of a graph, each node bound to its places. */
final class ReferencePlan implements Plan {
  private static final byte DIRT = 0x7f;

  /** A node and where its data lie. */
  private record Task(Tensor node, List<Storage> sources, Storage result) {}

  private record BoundStep(List<Task> tasks, List<Integer> after) {}

  private final ReferenceBackend backend;
  private final Mischief mischief;
  private final List<BoundStep> steps = new ArrayList<>();
  private final List<Access> accesses;
  private final long scratchBytes;
  private final Allocation allocation;
  private volatile boolean closed;

  ReferencePlan(ReferenceBackend backend, Graph graph, Schedule schedule, Allocation allocation) {
    this.backend = backend;
    this.mischief = ((ReferenceDevice) backend.device()).mischief();
    this.allocation = allocation;
    this.scratchBytes = schedule.scratchBytes();
    if (scratchBytes > 0 && allocation.scratch().isEmpty()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "the schedule asks for %d scratch bytes and the allocation has none"
              .formatted(scratchBytes));
    }
    for (Step step : schedule.steps()) {
      steps.add(bind(step));
    }
    this.accesses = PlanAccesses.of(graph, scratchBytes, allocation);
  }

  private BoundStep bind(Step step) {
    List<Task> tasks = new ArrayList<>();
    for (Tensor node : step.nodes()) {
      // A result that nobody reads has no place, and needs no work.
      if (allocation.holds(node)) {
        Task task =
            new Task(
                node,
                node.sources().stream().map(allocation::storage).toList(),
                allocation.storage(node));
        task.sources().forEach(this::check);
        check(task.result());
        if (node.operation() instanceof Operation.AllReduce reduce) {
          ReferenceComm.own(reduce.member()).requireOf(backend);
        }
        tasks.add(task);
      }
    }
    return new BoundStep(tasks, step.after());
  }

  private void check(Storage place) {
    ReferenceBuffer buffer = backend.near(place.buffer());
    if (!buffer.type().repacks()) {
      buffer.memory(place.offset(), PlanAccesses.span(place.tensor()));
    }
  }

  @Override
  public Backend backend() {
    return backend;
  }

  List<Access> accesses() {
    return accesses;
  }

  void requireOpen() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the plan was closed")
          .device(backend.device())
          .build();
    }
  }

  /** Runs every step after those it must follow; which of several comes first is left to chance. */
  void run(Stream stream) throws InterruptedException {
    if (mischief.has(Trait.DIRTY_MEMORY) && scratchBytes > 0) {
      Storage scratch = allocation.scratch().orElseThrow();
      ReferenceBackend.own(scratch.buffer()).memory(scratch.offset(), scratchBytes).fill(DIRT);
    }
    BitSet done = new BitSet();
    while (done.cardinality() < steps.size()) {
      int next = choose(done);
      for (Task task : steps.get(next).tasks()) {
        run(task, stream);
      }
      done.set(next);
    }
  }

  private int choose(BitSet done) {
    if (!mischief.has(Trait.BRANCHES)) {
      return done.nextClearBit(0);
    }
    List<Integer> ready = new ArrayList<>();
    for (int i = done.nextClearBit(0); i < steps.size(); i = done.nextClearBit(i + 1)) {
      if (steps.get(i).after().stream().allMatch(done::get)) {
        ready.add(i);
      }
    }
    return ready.get(mischief.choose(ready.size()));
  }

  private void run(Task task, Stream stream) throws InterruptedException {
    List<Operand> sources = task.sources().stream().map(ReferencePlan::operand).toList();
    Operand result = operand(task.result());
    if (task.node().operation() instanceof Operation.AllReduce reduce) {
      ReferenceComm.own(reduce.member()).reduce(sources.get(0), result, stream);
    } else {
      Kernels.run(task.node(), sources, result);
    }
  }

  /** Tells the members of this plan's collectives that this one will not come. */
  void cancel(ConsortException failure) {
    for (BoundStep step : steps) {
      for (Task task : step.tasks()) {
        if (task.node().operation() instanceof Operation.AllReduce reduce) {
          ReferenceComm.own(reduce.member()).cancel(failure);
        }
      }
    }
  }

  private static Operand operand(Storage storage) {
    ReferenceBuffer buffer = ReferenceBackend.own(storage.buffer());
    Tensor tensor = storage.tensor();
    if (buffer.type().repacks()) {
      Tensor root = tensor.root();
      long start = storage.offset() - tensor.offset();
      return new Operand(
          tensor, Scramble.unpack(root, buffer.memory(start)).asSlice(tensor.offset()));
    }
    return new Operand(tensor, buffer.memory(storage.offset(), PlanAccesses.span(tensor)));
  }

  @Override
  public void close() {
    closed = true;
  }
}
