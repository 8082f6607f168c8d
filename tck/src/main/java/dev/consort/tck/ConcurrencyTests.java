// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.DataType;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Many streams, many threads, one device. */
public abstract class ConcurrencyTests extends KitTest {
  private static final int THREADS = 8;
  private static final int ROUNDS = 20;
  private static final int WIDTH = 300;
  private static final Duration SOON = Duration.ofSeconds(20);

  /** {@code y = w x + x}, with {@code w} all ones. */
  private static final class Sums {
    final Tensor w;
    final Tensor x;
    final Tensor y;
    final Graph graph;

    Sums() {
      GraphBuilder builder = new GraphBuilder();
      w = builder.weight("w", DataType.F32, Shape.of(64, 64));
      x = builder.input("x", DataType.F32, Shape.of(64, 3));
      y = builder.output(builder.add(builder.matMul(w, x), x));
      graph = builder.build();
    }

    /** Computes on a stream of its own and checks. */
    void run(Lab lab, Backend backend, int value) {
      Lab.Placed plan = lab.plan(backend, graph);
      backend.set(plan.at(w), 0, lab.filled(64 * 64, 1));
      backend.set(plan.at(x), 0, lab.filled(64 * 3, value));
      backend.submit(plan.plan());
      assertThat(lab.read(backend, plan.at(y))).containsOnly(65f * value);
    }
  }

  /** Runs it on all threads at once; the first failure of any is the test's. */
  private void everywhere(Work work) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Callable<Void>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int number = i;
        all.add(
            () -> {
              work.run(number);
              return null;
            });
      }
      for (Future<Void> done : threads.invokeAll(all)) {
        try {
          done.get();
        } catch (ExecutionException e) {
          throw e.getCause() instanceof Exception cause ? cause : e;
        }
      }
    }
  }

  /** One thread's part. */
  private interface Work {
    void run(int number) throws Exception;
  }

  @Test
  void streamsAreMadeUsedAndClosedOnManyThreadsAtOnce() throws Exception {
    everywhere(
        number -> {
          for (int round = 1; round <= ROUNDS; round++) {
            try (Lab lab = new Lab()) {
              new Sums().run(lab, lab.backend(device()), number * 100 + round);
            }
          }
        });
  }

  @Test
  void plansAreCompiledOnManyThreadsAtOnce() throws Exception {
    everywhere(
        number -> {
          try (Lab lab = new Lab()) {
            Backend backend = lab.backend(device());
            for (int round = 1; round <= ROUNDS; round++) {
              new Sums().run(lab, backend, number * 100 + round);
            }
          }
        });
  }

  @Test
  void buffersAreMadeAndClosedOnManyThreadsAtOnce() throws Exception {
    everywhere(
        number -> {
          for (int round = 0; round < 10 * ROUNDS; round++) {
            try (Buffer buffer = device().bufferType().allocate(1L << (round % 16 + 4))) {
              buffer.fill((byte) number);
            }
          }
        });
  }

  @Test
  void theDeviceAnswersManyThreadsAlike() throws Exception {
    Sums sums = new Sums();
    List<Tensor> nodes = sums.graph.nodes();
    List<Boolean> expected =
        nodes.stream().map(node -> device().supports(node).supported()).toList();
    everywhere(
        number -> {
          for (int round = 0; round < 10 * ROUNDS; round++) {
            assertThat(nodes.stream().map(node -> device().supports(node).supported()))
                .isEqualTo(expected);
            assertThat(device().info().id()).isEqualTo(tested().device().info().id());
            assertThat(device().memory().total()).isPositive();
          }
        });
  }

  @Test
  void aRelayPassesThroughManyStreamsAndThreads() throws Exception {
    Storage[] stations = new Storage[THREADS + 1];
    List<BlockingQueue<Event>> handed = new ArrayList<>();
    for (int i = 0; i <= THREADS; i++) {
      stations[i] = lab().vector(device(), "station", WIDTH);
      handed.add(new LinkedBlockingQueue<>());
    }
    Backend start = lab().backend(device());
    for (int round = 0; round < ROUNDS; round++) {
      int value = round;
      start.set(stations[0], 0, lab().filled(WIDTH, value));
      Event begun = lab().event(device());
      start.record(begun);
      handed.getFirst().add(begun);
      everywhere(
          number -> {
            try (Backend backend = device().createBackend()) {
              Event before = handed.get(number).poll(SOON.toSeconds(), TimeUnit.SECONDS);
              assertThat(before).as("event of station %d", number).isNotNull();
              backend.await(before);
              backend.copy(stations[number], 0, stations[number + 1], 0, 4L * WIDTH);
              Event after = device().createEvent();
              backend.record(after);
              handed.get(number + 1).add(after);
              backend.synchronize();
            }
          });
      Event last = handed.getLast().remove();
      last.await(SOON);
      assertThat(lab().read(start, stations[THREADS])).as("round %d", round).containsOnly(value);
      last.close();
    }
  }
}
