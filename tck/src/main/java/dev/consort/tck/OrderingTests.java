// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.HostSignal;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** The ordering contract, {@code docs/ordering.md}, as far as one device can show it. */
public abstract class OrderingTests extends KitTest {
  private static final int ROUNDS = 40;
  private static final int WIDTH = 256;
  private static final Duration SOON = Duration.ofSeconds(20);

  /** {@code y = x + 1} with work around it, so that whoever does not wait comes too early. */
  private static final class Increment {
    final Graph graph;
    final Tensor x;
    final Tensor y;

    Increment() {
      GraphBuilder builder = new GraphBuilder();
      x = builder.input("x", DataType.F32, Shape.of(WIDTH));
      Tensor one = builder.add(new Operation.Scale(0, 1), x);
      Tensor square = builder.reshape(x, Shape.of(16, 16));
      Tensor product = builder.matMul(square, builder.matMul(square, square));
      Tensor nothing = builder.scale(builder.reshape(product, Shape.of(WIDTH)), 0);
      y = builder.output(builder.add(builder.add(x, one), nothing));
      graph = builder.build();
    }
  }

  // Rule 1: one backend is first in, first out.

  @Test
  void workOfOneBackendRunsInOrder() {
    Increment increment = new Increment();
    Backend backend = lab().backend(device());
    Lab.Placed plan = lab().plan(backend, increment.graph);
    backend.set(plan.at(increment.x), 0, lab().filled(WIDTH, 0));
    MemorySegment[] seen = new MemorySegment[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      backend.submit(plan.plan());
      seen[i] = lab().bytes(4 * WIDTH);
      backend.get(plan.at(increment.y), 0, seen[i]);
      backend.copy(plan.at(increment.y), 0, plan.at(increment.x), 0, 4 * WIDTH);
    }
    backend.synchronize();
    for (int i = 0; i < ROUNDS; i++) {
      assertThat(Lab.floats(seen[i])).as("round %d", i).containsOnly(i + 1);
    }
  }

  // Rule 2: copies order by the bytes they touch.

  @Test
  void aCopyComesBetweenEarlierAndLaterWritersOfItsSource() {
    Backend backend = lab().backend(device());
    Storage a = lab().vector(device(), "a", WIDTH);
    Storage b = lab().vector(device(), "b", WIDTH);
    for (int i = 0; i < ROUNDS; i++) {
      backend.set(a, 0, lab().filled(WIDTH, i));
      backend.copy(a, 0, b, 0, 4 * WIDTH);
      backend.set(a, 0, lab().filled(WIDTH, -1));
      MemorySegment seen = lab().bytes(4 * WIDTH);
      backend.get(b, 0, seen);
      backend.set(b, 0, lab().filled(WIDTH, -2));
      backend.synchronize();
      assertThat(Lab.floats(seen)).as("round %d", i).containsOnly(i);
    }
  }

  @Test
  void copiesBetweenBackendsComeBetweenTheUsersOfTheirBytes() {
    CopyTensor copy = connected();
    List<Device> members = members(2);
    Backend from = lab().backend(members.get(0));
    Backend to = lab().backend(members.get(1));
    Storage a = lab().vector(members.get(0), "a", WIDTH);
    Storage b = lab().vector(members.get(1), "b", WIDTH);
    MemorySegment[] seen = new MemorySegment[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      from.set(a, 0, lab().filled(WIDTH, i));
      copy.copy(from, a, 0, to, b, 0, 4 * WIDTH);
      from.set(a, 0, lab().filled(WIDTH, -1));
      seen[i] = lab().bytes(4 * WIDTH);
      to.get(b, 0, seen[i]);
      to.set(b, 0, lab().filled(WIDTH, -2));
    }
    to.synchronize();
    for (int i = 0; i < ROUNDS; i++) {
      assertThat(Lab.floats(seen[i])).as("round %d", i).containsOnly(i);
    }
  }

  @Test
  void copiesInBothDirectionsDoNotWaitForEachOtherForEver() {
    CopyTensor copy = connected();
    List<Device> members = members(2);
    Backend left = lab().backend(members.get(0));
    Backend right = lab().backend(members.get(1));
    Storage[] l = {
      lab().vector(members.get(0), "l0", WIDTH), lab().vector(members.get(0), "l1", WIDTH)
    };
    Storage[] r = {
      lab().vector(members.get(1), "r0", WIDTH), lab().vector(members.get(1), "r1", WIDTH)
    };
    left.set(l[0], 0, lab().filled(WIDTH, 1));
    right.set(r[0], 0, lab().filled(WIDTH, 2));
    for (int i = 0; i < ROUNDS; i++) {
      copy.copy(left, l[0], 0, right, r[1], 0, 4 * WIDTH);
      copy.copy(right, r[0], 0, left, l[1], 0, 4 * WIDTH);
    }
    assertThat(lab().read(left, l[1])).containsOnly(2);
    assertThat(lab().read(right, r[1])).containsOnly(1);
  }

  // Rule 3: host memory belongs to the stream until an event recorded after the call is done.

  @Test
  void hostMemoryMayBeReusedOnceAnEventAfterTheCallIsDone() {
    Backend backend = lab().backend(device());
    Event event = lab().event(device());
    Storage x = lab().vector(device(), "x", WIDTH);
    MemorySegment in = lab().bytes(4 * WIDTH);
    MemorySegment out = lab().bytes(4 * WIDTH);
    for (int i = 0; i < ROUNDS; i++) {
      in.copyFrom(lab().filled(WIDTH, i));
      backend.set(x, 0, in);
      backend.record(event);
      event.await(SOON);
      in.copyFrom(lab().filled(WIDTH, -1));
      backend.get(x, 0, out);
      backend.record(event);
      event.await(SOON);
      assertThat(Lab.floats(out)).as("round %d", i).containsOnly(i);
    }
  }

  // Rule 4: an event is a snapshot of a stream.

  @Test
  void anEventThatWasNeverRecordedIsDone() {
    Event event = lab().event(device());
    Backend backend = lab().backend(device());
    assertThat(event.isDone()).isTrue();
    event.await(SOON);
    backend.await(event);
    backend.synchronize();
  }

  @Test
  void anEventIsDoneOnceItsStreamIs() {
    Backend backend = lab().backend(device());
    Event event = lab().event(device());
    Storage x = lab().vector(device(), "x", WIDTH);
    for (int i = 0; i < ROUNDS; i++) {
      backend.set(x, 0, lab().filled(WIDTH, i));
      backend.record(event);
      event.await(SOON);
      assertThat(event.isDone()).isTrue();
    }
  }

  @Test
  void aBackendWaitsForTheWorkOfAnother() {
    Increment increment = new Increment();
    Backend a = lab().backend(device());
    Backend b = lab().backend(device());
    Lab.Placed plan = lab().plan(a, increment.graph);
    Event computed = lab().event(device());
    Event copied = lab().event(device());
    a.set(plan.at(increment.x), 0, lab().filled(WIDTH, 0));
    for (int i = 0; i < ROUNDS; i++) {
      a.await(copied);
      a.submit(plan.plan());
      a.record(computed);
      b.await(computed);
      b.copy(plan.at(increment.y), 0, plan.at(increment.x), 0, 4 * WIDTH);
      b.record(copied);
    }
    assertThat(lab().read(b, plan.at(increment.x))).containsOnly(ROUNDS);
  }

  @Test
  void severalBackendsWaitForOneEvent() {
    Increment increment = new Increment();
    Backend a = lab().backend(device());
    Lab.Placed plan = lab().plan(a, increment.graph);
    Event computed = lab().event(device());
    a.set(plan.at(increment.x), 0, lab().filled(WIDTH, 6));
    a.submit(plan.plan());
    a.record(computed);
    for (int i = 0; i < 3; i++) {
      Backend b = lab().backend(device());
      b.await(computed);
      assertThat(lab().read(b, plan.at(increment.y))).containsOnly(7);
    }
    a.synchronize();
  }

  @Test
  void recordingAgainReplacesWhatAnEventStandsFor() {
    Increment increment = new Increment();
    Backend a = lab().backend(device());
    Backend b = lab().backend(device());
    Lab.Placed plan = lab().plan(a, increment.graph);
    Event event = lab().event(device());
    for (int i = 0; i < ROUNDS; i++) {
      a.record(event);
      a.set(plan.at(increment.x), 0, lab().filled(WIDTH, i));
      a.submit(plan.plan());
      a.record(event);
      b.await(event);
      assertThat(lab().read(b, plan.at(increment.y))).as("round %d", i).containsOnly(i + 1);
    }
  }

  @Test
  void aWaitKeepsToTheRecordingThatItFound() {
    HostSignal signals = capability(ProcAddresses.HOST_SIGNAL);
    Backend a = lab().backend(device());
    Backend b = lab().backend(device());
    Event held = lab().keep(signals.createEvent());
    Event event = lab().event(device());
    Event after = lab().event(device());
    Storage x = lab().vector(device(), "x", WIDTH);
    a.set(x, 0, lab().filled(WIDTH, 1));
    a.record(event);
    b.await(event);
    signals.arm(held);
    try {
      a.await(held);
      a.set(x, 0, lab().filled(WIDTH, 2));
      a.record(event);
      MemorySegment seen = lab().bytes(4 * WIDTH);
      b.get(x, 0, seen);
      b.record(after);
      after.await(SOON);
      assertThat(Lab.floats(seen)).containsOnly(1);
      assertThat(event.isDone()).isFalse();
    } finally {
      signals.signal(held);
    }
    a.synchronize();
    assertThat(event.isDone()).isTrue();
  }

  @Test
  void workThatWaitsForTheHostStartsWhenTheHostSignals() throws InterruptedException {
    HostSignal signals = capability(ProcAddresses.HOST_SIGNAL);
    Backend backend = lab().backend(device());
    Event held = lab().keep(signals.createEvent());
    Event done = lab().event(device());
    Storage x = lab().vector(device(), "x", WIDTH);
    for (int i = 0; i < 5; i++) {
      signals.arm(held);
      try {
        backend.await(held);
        backend.set(x, 0, lab().filled(WIDTH, i));
        backend.record(done);
        Thread.sleep(5);
        assertThat(done.isDone()).isFalse();
      } finally {
        signals.signal(held);
      }
      done.await(SOON);
      assertThat(lab().read(backend, x)).containsOnly(i);
    }
  }

  @Test
  void anEventOfAnotherPluginIsRefused() {
    if (device().info().kind() == DeviceKind.META) {
      throw new TestAbortedException("a meta device bridges events of other plugins");
    }
    Backend backend = lab().backend(device());
    assertRefused(() -> backend.await(new ForeignEvent(device())), ErrorCode.UNSUPPORTED);
  }

  @Test
  void waitingTooLongForAnEventIsAnError() {
    HostSignal signals = capability(ProcAddresses.HOST_SIGNAL);
    Backend backend = lab().backend(device());
    Event held = lab().keep(signals.createEvent());
    Event done = lab().event(device());
    signals.arm(held);
    try {
      backend.await(held);
      backend.record(done);
      assertRefused(() -> done.await(Duration.ofMillis(20)), ErrorCode.TIMEOUT);
    } finally {
      signals.signal(held);
    }
    backend.synchronize();
  }

  // Rule 7: closing drains.

  @Test
  void closingABackendWaitsForItsWork() {
    Increment increment = new Increment();
    Lab.Placed plan;
    try (Backend backend = device().createBackend()) {
      plan = lab().plan(backend, increment.graph);
      backend.set(plan.at(increment.x), 0, lab().filled(WIDTH, 0));
      for (int i = 0; i < ROUNDS; i++) {
        backend.submit(plan.plan());
        backend.copy(plan.at(increment.y), 0, plan.at(increment.x), 0, 4 * WIDTH);
      }
      plan.plan().close();
    }
    Backend other = lab().backend(device());
    assertThat(lab().read(other, plan.at(increment.x))).containsOnly(ROUNDS);
  }

  @Test
  void aClosedBackendTakesNoWork() {
    Storage x = lab().vector(device(), "x", 4);
    Backend backend = device().createBackend();
    backend.close();
    backend.close();
    assertRefused(() -> backend.set(x, 0, lab().floats(1, 2, 3, 4)), ErrorCode.CLOSED);
    assertRefused(backend::synchronize, ErrorCode.CLOSED);
  }

  // Rule 8: nothing else synchronizes.

  @Test
  void aBackendThatWaitsHoldsUpNeitherTheCallerNorAnotherBackend() {
    HostSignal signals = capability(ProcAddresses.HOST_SIGNAL);
    Increment increment = new Increment();
    Backend waiting = lab().backend(device());
    Backend working = lab().backend(device());
    Lab.Placed held = lab().plan(waiting, increment.graph);
    Lab.Placed free = lab().plan(working, increment.graph);
    Event signal = lab().keep(signals.createEvent());
    signals.arm(signal);
    MemorySegment late = lab().bytes(4 * WIDTH);
    try {
      waiting.await(signal);
      waiting.set(held.at(increment.x), 0, lab().filled(WIDTH, 1));
      waiting.submit(held.plan());
      waiting.get(held.at(increment.y), 0, late);
      working.set(free.at(increment.x), 0, lab().filled(WIDTH, 5));
      working.submit(free.plan());
      assertThat(lab().read(working, free.at(increment.y))).containsOnly(6);
      assertThat(Lab.floats(late)).containsOnly(0);
    } finally {
      signals.signal(signal);
    }
    waiting.synchronize();
    assertThat(Lab.floats(late)).containsOnly(2);
  }

  private CopyTensor connected() {
    CopyTensor copy = capability(ProcAddresses.COPY_TENSOR_ASYNC);
    List<Device> members = members(2);
    if (!copy.connects(members.get(0), members.get(1))
        || !copy.connects(members.get(1), members.get(0))) {
      throw new TestAbortedException("no way between " + members.get(0) + " and " + members.get(1));
    }
    return copy;
  }

  /** An event that no plugin made. */
  private record ForeignEvent(Device device) implements Event {
    @Override
    public boolean isDone() {
      return true;
    }

    @Override
    public void await(Duration timeout) {}

    @Override
    public void close() {}
  }
}
