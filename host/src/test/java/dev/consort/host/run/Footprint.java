// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process takes after a collection; resident memory is 0 where it can't be read. */
record Footprint(
    int swaps, int threads, long heapMib, long residentMib, int classes, int pending, int answers) {
  static final String HEAD =
      "| swaps | threads | heap MiB | resident MiB | classes | loaders pending | answers |\n"
          + "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |";

  static Footprint now(int swaps, int pending, int answers) throws IOException {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return new Footprint(
        swaps,
        ManagementFactory.getThreadMXBean().getThreadCount(),
        (runtime.totalMemory() - runtime.freeMemory()) >> 20,
        resident() >> 20,
        ManagementFactory.getClassLoadingMXBean().getLoadedClassCount(),
        pending,
        answers);
  }

  private static long resident() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElse(0);
  }

  @Override
  public String toString() {
    return "| %d | %d | %d | %d | %d | %d | %d |"
        .formatted(swaps, threads, heapMib, residentMib, classes, pending, answers);
  }
}
