// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.reference.Reference;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs a case's graph on a backend, everything in memory of its own. */
final class CaseRunner implements AutoCloseable {
  /**
   * What came out.
   *
   * @param damage bytes that nobody should have written, in words
   */
  record Outcome(MemorySegment output, Optional<String> damage) {}

  private final Backend backend;
  private final Arena arena = Arena.ofShared();

  CaseRunner(Backend backend) {
    this.backend = backend;
  }

  /** The first no of the device for a node of the case. */
  Support supports(OperationCase test) {
    return test.graph().nodes().stream()
        .filter(node -> !node.isView())
        .map(backend.device()::supports)
        .filter(answer -> !answer.supported())
        .findFirst()
        .orElse(Support.yes());
  }

  /**
   * Runs the case.
   *
   * @param weights the memory for the case's weights; the device's own without
   */
  Outcome run(OperationCase test, Optional<BufferType> weights) {
    Graph graph = test.graph();
    Schedule schedule = backend.schedule(graph);
    List<Tensor> elsewhere = weights.isEmpty() ? List.of() : ofWeights(test);
    List<Tensor> here = new ArrayList<>(test.leaves());
    here.removeAll(elsewhere);
    here.addAll(schedule.stored(graph));
    BufferType type = backend.device().bufferType();
    // A meta device's tensors have no bytes of their own between which guards could stand.
    boolean guarded = backend.device().info().kind() != DeviceKind.META;
    try (Scope scope = new Scope()) {
      Optional<GuardedAllocation> guards =
          guarded ? Optional.of(scope.add(new GuardedAllocation(type, here))) : Optional.empty();
      List<Allocation> parts = new ArrayList<>();
      parts.add(
          guards
              .map(GuardedAllocation::allocation)
              .orElseGet(() -> scope.add(type.allocate(here))));
      weights.ifPresent(memory -> parts.add(scope.add(memory.allocate(elsewhere))));
      Allocation allocation = Allocation.join(parts);
      if (schedule.scratchBytes() > 0) {
        Buffer scratch = scope.add(type.allocate(schedule.scratchBytes()));
        allocation = allocation.withScratch(new Storage(test.output(), scratch, 0));
      }
      Plan plan = scope.add(backend.compile(graph, schedule, allocation));
      return submit(test, allocation, plan, guards);
    }
  }

  /**
   * Compiling what the device does not support must be refused in words. A meta device may take it:
   * it lowers or moves operations.
   */
  void refuse(OperationCase test) {
    if (backend.device().info().kind() == DeviceKind.META) {
      return;
    }
    Graph graph = test.graph();
    BufferType type = backend.device().bufferType();
    try (Scope scope = new Scope()) {
      List<Tensor> all = new ArrayList<>(test.leaves());
      graph.nodes().stream().filter(node -> node.base().isEmpty()).forEach(all::add);
      Allocation allocation = scope.add(type.allocate(all));
      Throwable thrown =
          catchThrowable(
              () -> {
                Schedule schedule = backend.schedule(graph);
                Storage scratch =
                    new Storage(
                        test.output(), scope.add(type.allocate(schedule.scratchBytes())), 0);
                scope.add(backend.compile(graph, schedule, allocation.withScratch(scratch)));
              });
      assertThat(thrown)
          .as("what compiling %s throws, which %s says it can't do", test, backend.device())
          .isInstanceOf(ConsortException.class);
      assertThat(((ConsortException) thrown).code()).isEqualTo(ErrorCode.UNSUPPORTED);
    }
  }

  /**
   * The fallback: another device computes the operation. Its sources are read from this device, and
   * what comes out is written to it.
   */
  void carry(OperationCase test) {
    BufferType type = backend.device().bufferType();
    List<Tensor> all = new ArrayList<>(test.leaves());
    if (test.output().base().isEmpty()) {
      all.add(test.output());
    }
    try (Allocation allocation = type.allocate(all)) {
      Map<String, MemorySegment> carried = new HashMap<>();
      for (Tensor leaf : test.leaves()) {
        carried.put(leaf.name(), there(allocation.storage(leaf), test.data().get(leaf.name())));
      }
      MemorySegment result = Reference.evaluate(test.graph(), carried).get(test.output().name());
      MemorySegment back = there(allocation.storage(test.output()), result);
      assertThat(back.mismatch(result))
          .as("byte of %s that changed on the way to another device and back", test.output())
          .isEqualTo(-1);
    }
  }

  /** Writes a tensor and reads it again. */
  private MemorySegment there(Storage place, MemorySegment bytes) {
    MemorySegment back = arena.allocate(bytes.byteSize(), 64);
    if (bytes.byteSize() > 0) {
      backend.set(place, 0, pin(bytes));
      backend.get(place, 0, back);
      backend.synchronize();
    }
    return back;
  }

  private Outcome submit(
      OperationCase test, Allocation allocation, Plan plan, Optional<GuardedAllocation> guards) {
    Map<String, MemorySegment> data = test.data();
    for (Tensor leaf : test.leaves()) {
      if (leaf.bytes() > 0) {
        backend.set(allocation.storage(leaf), 0, pin(data.get(leaf.name())));
      }
    }
    backend.submit(plan);
    MemorySegment output = arena.allocate(test.output().bytes(), 64);
    if (output.byteSize() > 0) {
      backend.get(allocation.storage(test.output()), 0, output);
    }
    backend.synchronize();
    return new Outcome(output, guards.flatMap(memory -> memory.damage(backend)));
  }

  private MemorySegment pin(MemorySegment bytes) {
    return arena.allocate(bytes.byteSize(), 64).copyFrom(bytes);
  }

  private static List<Tensor> ofWeights(OperationCase test) {
    return test.leaves().stream()
        .filter(leaf -> leaf.operation() instanceof Operation.Weight)
        .toList();
  }

  @Override
  public void close() {
    arena.close();
  }
}
