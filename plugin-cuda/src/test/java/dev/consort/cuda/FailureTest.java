// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A kernel that fails takes its device along and names it. CUDA also ends the contexts of GPUs that
 * reach its memory; the process goes on.
 */
class FailureTest {
  private static final long LIMIT_SECONDS = 60;

  @Test
  @Timeout(2 * LIMIT_SECONDS)
  void a_failing_kernel_fails_its_device_and_its_comm() throws Exception {
    int devices = TestDevices.atLeast(1).size();
    List<String> lines = run();
    assertThat(line(lines, "first")).contains("DEVICE_FAILED").contains("cuda:0");
    assertThat(line(lines, "again")).contains("DEVICE_FAILED").contains("failed before");
    if (devices > 1) {
      assertThat(line(lines, "member")).contains("DEVICE_FAILED").contains("cuda:0");
      assertThat(line(lines, "other")).matches("other: (fine|DEVICE_FAILED cuda:1 .*)");
    }
  }

  private static String line(List<String> lines, String who) {
    Optional<String> found = lines.stream().filter(l -> l.startsWith(who + ": ")).findFirst();
    return found.orElse("nothing about " + who + " in " + lines);
  }

  private static List<String> run() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                FailingDevice.class.getName())
            .redirectErrorStream(true)
            .start();
    try {
      assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("it ends in time").isTrue();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .toList();
    } finally {
      process.destroyForcibly();
    }
  }
}
