// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;

/** Devices for tests, one for each way to run kernels. */
final class TestDevices {
  private TestDevices() {}

  /** A device with the given kernels; aborts the test where they do not run. */
  static CpuDevice of(String path, int threads) {
    Processor processor = Processor.detect();
    if (!path.equals("portable")) {
      assumeTrue(NativeLibrary.resource().isPresent(), "built without native kernels");
      boolean runs = path.equals("avx2") || processor.bestPath().equals("avx512");
      assumeTrue(runs && !processor.bestPath().equals("portable"), "no " + path + " here");
      NativeLibrary.directory(Path.of("target", "native").toAbsolutePath());
    }
    return new CpuDevice(processor, path, new Settings(path, threads, Duration.ofSeconds(2)));
  }
}
