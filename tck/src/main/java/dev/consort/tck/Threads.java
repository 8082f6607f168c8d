// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import java.time.Duration;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** The threads of this process, and waiting for what others do in their own time. */
final class Threads {
  private Threads() {}

  /** Those alive now but for the ones that the JVM and the test runner make as they need them. */
  static Set<Thread> alive() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getThreadGroup() != null)
        .filter(thread -> !thread.getThreadGroup().getName().equals("system"))
        .filter(thread -> !thread.getName().startsWith("ForkJoinPool"))
        .filter(thread -> !thread.getName().startsWith("CompletableFutureDelayScheduler"))
        .collect(Collectors.toSet());
  }

  /** Whether something comes true before the patience ends. */
  static boolean eventually(Duration patience, BooleanSupplier condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      Thread.sleep(20);
    }
    return true;
  }
}
