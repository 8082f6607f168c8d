// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.host.plugin.JarHash;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stranger's JAR is loaded only because somebody said so. */
class VerifyTrustTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private Path jar = Path.of("");
  private String sha256 = "";

  @BeforeEach
  void writeJar() throws IOException {
    jar = Files.writeString(folder.resolve("some.jar"), "of a stranger");
    sha256 = JarHash.sha256(jar);
  }

  private void require(
      Console.Progress watched, String typed, Optional<String> given, VerifyTrust.Answer answer) {
    PrintStream to = new PrintStream(said, true, StandardCharsets.UTF_8);
    Console console =
        new Console(
            new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)), to, to, watched);
    new VerifyTrust(console, given, answer).require(jar, sha256, Optional.empty());
  }

  private void ask(Console.Progress watched, String typed) {
    require(watched, typed, Optional.empty(), VerifyTrust.Answer.ASK);
  }

  @Test
  void inAPipeItIsRefusedWithTheCommandThatWouldTrustIt() {
    assertThatThrownBy(() -> ask(Console.Progress.NONE, "y\n"))
        .hasMessageContaining("was not loaded", "--trust " + sha256);
  }

  @Test
  void onATerminalThePersonIsAskedAndShownTheHash() {
    assertThatCode(() -> ask(Console.Progress.BARS, "y\n")).doesNotThrowAnyException();
    assertThat(said.toString(StandardCharsets.UTF_8))
        .contains("SHA-256 " + sha256, "all rights", "[y/N]");
  }

  @Test
  void anythingButYesIsNo() {
    for (String typed : new String[] {"\n", "n\n", "", "yesterday\n"}) {
      assertThatThrownBy(() -> ask(Console.Progress.BARS, typed))
          .hasMessageContaining("was not loaded");
    }
  }

  @Test
  void theRightHashIsTrustedAndAnotherIsNot() {
    assertThatCode(
            () -> require(Console.Progress.NONE, "", Optional.of(sha256), VerifyTrust.Answer.ASK))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                require(
                    Console.Progress.NONE, "", Optional.of("0".repeat(64)), VerifyTrust.Answer.YES))
        .hasMessageContaining(sha256, "0".repeat(64), "another file");
  }

  @Test
  void whatALockListsIsTrusted() throws IOException {
    Files.writeString(folder.resolve("plugins.lock"), "some 1.0 " + sha256 + "\n");
    assertThatCode(() -> ask(Console.Progress.NONE, "")).doesNotThrowAnyException();
    Files.writeString(folder.resolve("plugins.lock"), "some 1.0 " + "0".repeat(64) + "\n");
    assertThatThrownBy(() -> ask(Console.Progress.NONE, "")).hasMessageContaining("not loaded");
  }
}
