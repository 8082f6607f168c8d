// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls that can't be meant: each is refused in words when it is made, and harms nothing. */
public abstract class HostileTests extends KitTest {
  private Optional<Witness> witness = Optional.empty();

  /** Work of the same backend that must go on as if nothing had happened. */
  private final class Witness {
    final Backend backend = lab().backend(device());
    final Storage storage = lab().vector(device(), "x", 16);

    Witness() {
      backend.set(storage, 0, lab().filled(16, 4));
    }
  }

  /** A graph of one operation. */
  private static final class Twice {
    final Tensor x;
    final Tensor y;
    final Graph graph;

    Twice() {
      GraphBuilder builder = new GraphBuilder();
      x = builder.input("x", DataType.F32, Shape.of(16));
      y = builder.output(builder.scale(x, 2));
      graph = builder.build();
    }
  }

  @BeforeEach
  void openWitness() {
    witness = Optional.of(new Witness());
  }

  @AfterEach
  void nothingWasHarmed() {
    witness.ifPresent(
        seen ->
            assertThat(lab().read(seen.backend, seen.storage))
                .as("what lay on the device before the call that was refused")
                .containsOnly(4));
  }

  private Backend backend() {
    return witness.orElseThrow().backend;
  }

  private Storage storage() {
    return witness.orElseThrow().storage;
  }

  /** A device that is none of this plugin's. */
  private Device stranger() {
    return new ReferenceDevice(ReferenceOptions.of(0).plugin("stranger"));
  }

  // Bad ranges.

  @Test
  void transfersOutsideATensorAreRefused() {
    Storage x = storage();
    for (long offset :
        new long[] {-4, -1, 64, 65, Long.MAX_VALUE, Long.MAX_VALUE - 3, Long.MIN_VALUE}) {
      assertRefused(() -> backend().set(x, offset, lab().bytes(4)), ErrorCode.INVALID_ARGUMENT);
      assertRefused(() -> backend().get(x, offset, lab().bytes(4)), ErrorCode.INVALID_ARGUMENT);
    }
    assertRefused(() -> backend().set(x, 0, lab().bytes(65)), ErrorCode.INVALID_ARGUMENT);
    assertRefused(() -> backend().get(x, 4, lab().bytes(64)), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void copiesOutsideATensorAreRefused() {
    Storage x = storage();
    Storage y = lab().vector(device(), "y", 16);
    long[][] ranges = {
      {-4, 0, 4},
      {0, -4, 4},
      {64, 0, 4},
      {0, 64, 4},
      {0, 0, 65},
      {0, 0, -1},
      {Long.MAX_VALUE, 0, 4},
      {0, Long.MAX_VALUE - 3, 4},
      {0, 0, Long.MAX_VALUE}
    };
    for (long[] range : ranges) {
      assertRefused(
          () -> backend().copy(x, range[0], y, range[1], range[2]), ErrorCode.INVALID_ARGUMENT);
    }
  }

  @Test
  void transfersOfATensorWithGapsAreRefused() {
    GraphBuilder builder = new GraphBuilder();
    Tensor base = builder.input("base", DataType.F32, Shape.of(8, 8));
    Tensor columns = builder.slice(base, 0, 2, 3);
    Allocation allocation = lab().place(device(), base);
    Storage strided = allocation.storage(columns);
    assertRefused(
        () -> backend().set(strided, 0, lab().bytes(columns.bytes())), ErrorCode.INVALID_ARGUMENT);
    assertRefused(
        () -> backend().get(strided, 0, lab().bytes(columns.bytes())), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void placesOutsideTheirBufferAreRefused() {
    skipOnMeta("has no places of its own");
    Storage x = storage();
    for (long offset : new long[] {-64, x.buffer().bytes(), Long.MAX_VALUE - 63}) {
      Storage lost = new Storage(x.tensor(), x.buffer(), offset);
      assertRefused(() -> backend().set(lost, 0, lab().bytes(64)), ErrorCode.INVALID_ARGUMENT);
      assertRefused(() -> backend().get(lost, 0, lab().bytes(64)), ErrorCode.INVALID_ARGUMENT);
    }
  }

  @Test
  void aPlanOverPlacesOutsideTheirBufferIsRefused() {
    skipOnMeta("has no places of its own");
    Twice twice = new Twice();
    Buffer buffer = lab().keep(device().bufferType().allocate(4096));
    Allocation lost =
        Allocation.of(
            List.of(
                new Storage(twice.x, buffer, 0), new Storage(twice.y, buffer, buffer.bytes() - 32)),
            List.of());
    assertRefused(() -> compile(twice.graph, lost), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void aPlanWithoutPlacesIsRefused() {
    Twice twice = new Twice();
    Allocation some = lab().place(device(), twice.y);
    assertRefused(
        () -> compile(twice.graph, some), ErrorCode.NOT_FOUND, ErrorCode.INVALID_ARGUMENT);
  }

  private void compile(Graph graph, Allocation allocation) {
    Schedule schedule = backend().schedule(graph);
    Storage scratch = lab().scratch(device(), Math.max(64, schedule.scratchBytes()));
    backend().compile(graph, schedule, allocation.withScratch(scratch)).close();
  }

  // Closed things.

  @Test
  void aClosedBackendTakesNothing() {
    Twice twice = new Twice();
    Backend closed = device().createBackend();
    Lab.Placed plan = lab().plan(closed, twice.graph);
    Schedule schedule = closed.schedule(twice.graph);
    Event event = lab().event(device());
    Storage x = lab().vector(device(), "closed", 16);
    plan.plan().close();
    closed.close();
    List<Runnable> calls =
        List.of(
            () -> closed.submit(plan.plan()),
            () -> closed.compile(twice.graph, schedule, plan.allocation()),
            () -> closed.set(x, 0, lab().bytes(4)),
            () -> closed.get(x, 0, lab().bytes(4)),
            () -> closed.copy(x, 0, x, 32, 4),
            () -> closed.record(event),
            () -> closed.await(event),
            closed::synchronize);
    calls.forEach(call -> assertRefused(call, ErrorCode.CLOSED));
  }

  @Test
  void aClosedPlanIsNotRun() {
    Lab.Placed plan = lab().plan(backend(), new Twice().graph);
    plan.plan().close();
    assertRefused(() -> backend().submit(plan.plan()), ErrorCode.CLOSED);
  }

  @Test
  void aClosedBufferIsNotTouched() {
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(16));
    Allocation allocation = device().bufferType().allocate(List.of(tensor));
    Storage gone = allocation.storage(tensor);
    allocation.close();
    List<Runnable> calls =
        List.of(
            () -> backend().set(gone, 0, lab().bytes(64)),
            () -> backend().get(gone, 0, lab().bytes(64)),
            () -> backend().copy(gone, 0, storage(), 0, 64),
            () -> backend().copy(storage(), 0, gone, 0, 64),
            () -> gone.buffer().fill((byte) 1));
    calls.forEach(call -> assertRefused(call, ErrorCode.CLOSED, ErrorCode.INVALID_ARGUMENT));
  }

  @Test
  void aClosedEventIsNotRecorded() {
    Event event = device().createEvent();
    event.close();
    assertRefused(() -> backend().record(event), ErrorCode.CLOSED, ErrorCode.INVALID_ARGUMENT);
  }

  // Foreign objects.

  @Test
  void aForeignBufferIsRefused() {
    Storage foreign = lab().vector(stranger(), "x", 16);
    List<Runnable> calls =
        List.of(
            () -> backend().set(foreign, 0, lab().bytes(64)),
            () -> backend().get(foreign, 0, lab().bytes(64)),
            () -> backend().copy(foreign, 0, storage(), 0, 64),
            () -> backend().copy(storage(), 0, foreign, 0, 64));
    calls.forEach(call -> assertRefused(call, ErrorCode.INVALID_ARGUMENT));
  }

  @Test
  void aPlanOverAForeignBufferIsRefused() {
    Twice twice = new Twice();
    Allocation foreign = lab().place(stranger(), twice.x, twice.y);
    assertRefused(() -> compile(twice.graph, foreign), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void aForeignPlanIsRefused() {
    Backend other = lab().backend(stranger());
    Plan foreign = lab().plan(other, new Twice().graph).plan();
    assertRefused(() -> backend().submit(foreign), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void aForeignEventIsRefused() {
    skipOnMeta("bridges events of other plugins");
    Event foreign = lab().event(stranger());
    assertRefused(() -> backend().await(foreign), ErrorCode.UNSUPPORTED);
    assertRefused(
        () -> backend().record(foreign), ErrorCode.UNSUPPORTED, ErrorCode.INVALID_ARGUMENT);
  }

  // Sizes.

  @Test
  void buffersOfImpossibleSizesAreRefused() {
    BufferType type = device().bufferType();
    for (long bytes : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertRefused(
          () -> type.allocate(bytes), ErrorCode.INVALID_ARGUMENT, ErrorCode.OUT_OF_MEMORY);
    }
  }
}
