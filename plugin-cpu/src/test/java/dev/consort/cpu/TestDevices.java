// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** Devices for tests, one for each way to run kernels. */
final class TestDevices {
  private TestDevices() {}

  /** A device with the given kernels; aborts the test where they do not run. */
  static CpuDevice of(String path, int threads) {
    assumeRuns(path);
    var settings = new Settings(path, threads, Duration.ofSeconds(2), Settings.Numa.OFF);
    return new CpuDevice(0, Processor.detect(), path, settings, Placement.ANYWHERE);
  }

  /** The plugin with the given kernels, for the kit. */
  static Subject subject(String path) {
    assumeRuns(path);
    return Subject.of(
        CpuProvider::new,
        0,
        Map.of("path", path, "threads", "2", "collective-timeout", "2"),
        Declaration.everything());
  }

  private static void assumeRuns(String path) {
    Processor processor = Processor.detect();
    if (!path.equals("portable")) {
      assumeTrue(NativeLibrary.resource().isPresent(), "built without native kernels");
      boolean runs = path.equals("avx2") || processor.bestPath().equals("avx512");
      assumeTrue(runs && !processor.bestPath().equals("portable"), "no " + path + " here");
      NativeLibrary.directory(Path.of("target", "native").toAbsolutePath());
    }
  }
}
