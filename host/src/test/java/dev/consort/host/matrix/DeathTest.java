// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeathTest {
  private static final String REPORT =
      """
      #
      # A fatal error has been detected by the Java Runtime Environment:
      #
      #  SIGSEGV (0xb) at pc=0x00007f1c2a1b2c3d, pid=4711, tid=4712
      #
      # JRE version: OpenJDK Runtime Environment (25.0.3+9)
      # Problematic frame:
      # C  [libvulkan_lvp.so+0x1f2a3c]  draw+0x12
      #
      """;

  @Test
  void aSignalIsNamedWithItsFrameAndWithoutNumbersOfTheRun() {
    assertThat(Death.words(134, Optional.of(REPORT), Optional.empty()))
        .isEqualTo("the JVM died: SIGSEGV in C [libvulkan_lvp.so+0x1f2a3c] draw+0x12");
  }

  @Test
  void compiledCodeIsNamedWithoutItsAddress() {
    String compiled =
        REPORT.replaceAll(
            "# C .*",
            "# J 2201 c1 toy.Set.run(J)V toy@1 (16 bytes) @ 0x00007fd6 [0x00007fd5+0x7ec]");
    assertThat(Death.words(134, Optional.of(compiled), Optional.empty()))
        .isEqualTo("the JVM died: SIGSEGV in J toy.Set.run(J)V toy@1 (16 bytes)");
  }

  @Test
  void aSignalWithoutAReportIsKnownByTheExitCode() {
    assertThat(Death.words(137, Optional.empty(), Optional.of("")))
        .isEqualTo("the JVM was killed by SIGKILL");
  }

  @Test
  void anExitHasItsCodeAndLastWords() {
    assertThat(Death.words(3, Optional.empty(), Optional.of("first\nassertion failed: x > 0\n\n")))
        .isEqualTo("the JVM ended with exit code 3; its last words: assertion failed: x > 0");
  }
}
