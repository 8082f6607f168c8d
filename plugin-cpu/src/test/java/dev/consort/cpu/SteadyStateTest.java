// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.GraphBuilder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What running the same plan again and again costs. */
class SteadyStateTest {
  private static final int WARM_UP = 4000;
  private static final int RUNS = 2000;

  @ParameterizedTest
  @ValueSource(strings = {"avx512", "avx2", "portable"})
  void runningAPlanAgainLeavesNoGarbage(String path) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (CpuDevice device = TestDevices.of(path, 2);
        Backend backend = device.createBackend();
        var model = new SmallModel(backend, x -> x, new GraphBuilder());
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocate(model.input.tensor().bytes(), 64);
      MemorySegment out = arena.allocate(model.output.tensor().bytes(), 64);
      run(backend, model, in, out, WARM_UP);

      long before = threads.getTotalThreadAllocatedBytes();
      run(backend, model, in, out, RUNS);
      long bytes = threads.getTotalThreadAllocatedBytes() - before;

      assertThat((double) bytes / RUNS).as("heap bytes a run, all threads").isLessThan(200);
    }
  }

  private static void run(
      Backend backend, SmallModel model, MemorySegment in, MemorySegment out, int times) {
    for (int i = 0; i < times; i++) {
      backend.set(model.input, 0, in);
      backend.submit(model.plan);
      backend.get(model.output, 0, out);
      backend.synchronize();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"avx512", "avx2", "portable"})
  void anIdleTeamSleeps(String path) throws InterruptedException {
    var threads = ManagementFactory.getThreadMXBean();
    try (CpuDevice device = TestDevices.of(path, 3);
        Backend backend = device.createBackend();
        var model = new SmallModel(backend, x -> x, new GraphBuilder())) {
      backend.submit(model.plan);
      backend.synchronize();
      Thread.sleep(50);

      Map<Thread, StackTraceElement[]> all = Thread.getAllStackTraces();
      long before = nanos(threads, all);
      Thread.sleep(200);

      assertThat(nanos(threads, all) - before).as("nanoseconds of 200 ms").isLessThan(10_000_000);
    }
  }

  private static long nanos(
      java.lang.management.ThreadMXBean threads, Map<Thread, StackTraceElement[]> all) {
    return all.keySet().stream()
        .filter(thread -> thread.getName().startsWith("consort-cpu-"))
        .mapToLong(thread -> Math.max(0, threads.getThreadCpuTime(thread.threadId())))
        .sum();
  }
}
