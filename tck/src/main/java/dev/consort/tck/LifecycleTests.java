// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Opening and closing again and again: nothing is left behind, nothing breaks. */
public abstract class LifecycleTests extends KitTest {
  private static final int TURNS = 30;
  private static final int BUFFERS = 32;
  private static final long MOST_BYTES = 8L << 20;
  private static final int ATTEMPTS = 5;

  /** {@code y = 2 x}. */
  private static final class Twice {
    final Tensor x;
    final Tensor y;
    final Graph graph;

    Twice() {
      GraphBuilder builder = new GraphBuilder();
      x = builder.input("x", DataType.F32, Shape.of(512));
      y = builder.output(builder.scale(x, 2));
      graph = builder.build();
    }
  }

  private void use(Lab lab, int value) {
    Twice twice = new Twice();
    Backend backend = lab.backend(device());
    Lab.Placed plan = lab.plan(backend, twice.graph);
    Event event = lab.event(device());
    backend.set(plan.at(twice.x), 0, lab.filled(512, value));
    backend.submit(plan.plan());
    backend.record(event);
    event.await(Duration.ofSeconds(20));
    assertThat(lab.read(backend, plan.at(twice.y))).containsOnly(2f * value);
  }

  @Test
  void openingAndClosingAgainAndAgainKeepsWorking() {
    for (int turn = 0; turn < TURNS; turn++) {
      try (Lab lab = new Lab()) {
        use(lab, turn);
      }
    }
  }

  @Test
  void everythingMayBeClosedTwice() {
    Twice twice = new Twice();
    Backend backend = device().createBackend();
    Lab.Placed plan = lab().plan(backend, twice.graph);
    Event event = device().createEvent();
    Buffer buffer = device().bufferType().allocate(4096);
    for (int turn = 0; turn < 2; turn++) {
      plan.plan().close();
      event.close();
      buffer.close();
      backend.close();
    }
    use(lab(), 3);
  }

  @Test
  void memoryReportsReturnToTheStart() {
    BufferType type = device().bufferType();
    long bytes = Math.min(type.maxBytes(), Math.min(MOST_BYTES, device().memory().total() / 256));
    fillAndClose(type, bytes);
    long kept = 0;
    // Where the report is that of a whole machine, others take memory at the same time; what is
    // left behind is left behind in every attempt.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long before = device().memory().free();
      fillAndClose(type, bytes);
      kept = before - device().memory().free();
      if (kept < bytes * BUFFERS / 2) {
        return;
      }
    }
    assertThat(kept)
        .as("bytes less free memory after %d buffers of %d were closed", BUFFERS, bytes)
        .isLessThan(bytes * BUFFERS / 2);
  }

  private static void fillAndClose(BufferType type, long bytes) {
    for (int i = 0; i < BUFFERS; i++) {
      try (Buffer buffer = type.allocate(bytes)) {
        buffer.fill((byte) i);
      }
    }
  }

  @Test
  void threadsDoNotAddUp() throws InterruptedException {
    for (int turn = 0; turn < 3; turn++) {
      try (Lab lab = new Lab()) {
        use(lab, turn);
      }
    }
    Set<Thread> before = Threads.alive();
    for (int turn = 0; turn < TURNS; turn++) {
      try (Lab lab = new Lab()) {
        use(lab, turn);
      }
    }
    boolean gone =
        Threads.eventually(patience(), () -> Threads.alive().size() <= before.size() + TURNS / 10);
    assertThat(gone)
        .as("%d threads after %d were alive at the start", Threads.alive().size(), before.size())
        .isTrue();
  }

  @Test
  void whatWasClosedIsForgotten() throws InterruptedException {
    List<WeakReference<?>> closed = openAndClose();
    boolean forgotten =
        Threads.eventually(
            patience(),
            () -> {
              System.gc();
              return closed.stream().allMatch(one -> one.refersTo(null));
            });
    assertThat(forgotten)
        .as(
            "whether the device has let go of %s",
            closed.stream().map(WeakReference::get).filter(one -> one != null).toList())
        .isTrue();
  }

  /** In a method of its own, so that no local variable keeps anything. */
  private List<WeakReference<?>> openAndClose() {
    List<WeakReference<?>> references = new ArrayList<>();
    Twice twice = new Twice();
    try (Lab lab = new Lab()) {
      Backend backend = lab.backend(device());
      Lab.Placed plan = lab.plan(backend, twice.graph);
      Event event = lab.event(device());
      backend.set(plan.at(twice.x), 0, lab.filled(512, 1));
      backend.submit(plan.plan());
      backend.record(event);
      backend.synchronize();
      references.add(new WeakReference<>(backend));
      references.add(new WeakReference<>(plan.plan()));
      references.add(new WeakReference<>(event));
      plan.allocation().storages().stream()
          .map(storage -> new WeakReference<>(storage.buffer()))
          .forEach(references::add);
    }
    return references;
  }

  @Test
  void eventsMayBeMadeInGreatNumbers() {
    Backend backend = lab().backend(device());
    for (int i = 0; i < 5000; i++) {
      try (Event event = device().createEvent()) {
        backend.record(event);
        event.await(Duration.ofSeconds(20));
        assertThat(event.isDone()).isTrue();
      }
    }
  }

  @Test
  void plansMayBeMadeInGreatNumbers() {
    Twice twice = new Twice();
    Backend backend = lab().backend(device());
    Lab.Placed first = lab().plan(backend, twice.graph);
    for (int i = 0; i < 200; i++) {
      try (var plan =
          backend.compile(twice.graph, backend.schedule(twice.graph), first.allocation())) {
        backend.set(first.at(twice.x), 0, lab().filled(512, i));
        backend.submit(plan);
        backend.synchronize();
      }
    }
    assertThat(lab().read(backend, first.at(twice.y))).containsOnly(398);
  }
}
