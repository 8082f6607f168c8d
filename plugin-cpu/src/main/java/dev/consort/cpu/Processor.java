// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the system says of its processor, without loading anything.
 *
 * @param flags instruction sets that the system lets programs use; empty where it does not say
 */
record Processor(String model, Set<String> flags) {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  private static final List<String> AVX2 = List.of("avx2", "fma", "f16c");
  private static final List<String> AVX512 =
      List.of("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "avx512_bf16");

  static Processor detect() {
    String model = System.getProperty("os.arch");
    Set<String> flags = Set.of();
    if (Files.isReadable(CPUINFO)) {
      try (var lines = Files.newBufferedReader(CPUINFO)) {
        for (String line = lines.readLine();
            line != null && !line.isEmpty();
            line = lines.readLine()) {
          String value = line.substring(line.indexOf(':') + 1).strip();
          if (line.startsWith("model name")) {
            model = value;
          } else if (line.startsWith("flags")) {
            flags = new HashSet<>(Arrays.asList(value.split(" ")));
          }
        }
      } catch (IOException e) {
        return new Processor(model, Set.of());
      }
    }
    return new Processor(model, flags);
  }

  /** The name of the best kernels that it can run. */
  String bestPath() {
    if (!flags.containsAll(AVX2)) {
      return "portable";
    }
    return flags.containsAll(AVX512) ? "avx512" : "avx2";
  }

  /** Free and total bytes of memory, or 0 where the system does not say. */
  static long[] memory() {
    long free = 0;
    long total = 0;
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:")) {
          total = kibibytes(line);
        } else if (line.startsWith("MemAvailable:")) {
          free = kibibytes(line);
        }
      }
    } catch (IOException e) {
      total = Runtime.getRuntime().maxMemory();
      free = total;
    }
    return new long[] {free, total};
  }

  private static long kibibytes(String line) {
    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
  }
}
