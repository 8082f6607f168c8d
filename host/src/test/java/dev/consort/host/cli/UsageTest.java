// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest {
  @TempDir Path folder;

  @Test
  void noCommandAtAllShowsTheHelpOnStderr() {
    Cli cli = Cli.run();
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("Usage: consort", "devices", "plugins", "synth");
    assertThat(cli.out()).isEmpty();
  }

  @Test
  void aCommandThatIsNoneIsAnsweredWithWhatItMayHaveBeen() {
    Cli cli = Cli.run("devics");
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("devics", "devices").doesNotContain("\tat ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"devices", "plugins", "run", "logits", "bench", "check", "quantize", "synth"})
  void helpGoesToStdout(String command) {
    Cli cli = Cli.run(command, "--help");
    assertThat(cli.exit()).isZero();
    assertThat(cli.out()).contains("Usage: consort " + command);
    assertThat(cli.err()).isEmpty();
  }

  @Test
  void anOptionThatIsNoneIsAUsageError() {
    Cli cli = Cli.run("devices", "--colour");
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("--colour");
  }

  @Test
  void aPluginsFolderThatIsMissingIsNotFound() {
    Cli cli = Cli.run("devices", "--plugins", folder.resolve("gone").toString());
    assertThat(cli.exit()).isEqualTo(3);
    assertThat(cli.err()).contains("gone", "does not exist", "--plugins").doesNotContain("\tat ");
  }

  @Test
  void verboseErrorsComeWithTheirStackTrace() {
    Cli cli = Cli.run("devices", "-v", "--plugins", folder.resolve("gone").toString());
    assertThat(cli.err()).contains("\tat ");
  }

  @Test
  void aBrokenPluginIsListedWithItsReason() throws IOException {
    Files.writeString(folder.resolve("broken.jar"), "nothing that a JAR would hold");
    Cli plugins = Cli.run("plugins", "--plugins", folder.toString(), "-o", "csv");
    assertThat(plugins.exit()).isZero();
    assertThat(plugins.out()).contains("broken.jar,,FAILED", "not a readable JAR file");
    Cli devices = Cli.run("devices", "--plugins", folder.toString());
    assertThat(devices.exit()).isZero();
    assertThat(devices.err()).contains("broken.jar failed: not a readable JAR file");
  }

  @Test
  void anOutputThatCannotBeWrittenLeavesNothing() throws IOException {
    Path missing = folder.resolve("gone").resolve("model.gguf");
    Cli cli = Cli.run("synth", "--layers", "1", "-o", missing.toString());
    assertThat(cli.exit()).isEqualTo(6);
    assertThat(cli.err()).contains(missing.toString());
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void synthTakesSingleSizes() {
    Path file = folder.resolve("model.gguf");
    Cli cli =
        Cli.run(
            ("synth --hidden 256 --layers 1 --ffn 512 --heads 8 --kv-heads 4 --vocab 512 --type"
                    + " q8_0 -o "
                    + file)
                .split(" "));
    assertThat(cli.exit()).isZero();
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains("wrote " + file);
    assertThat(file).exists();
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void everyErrorHasAnExitCodeAboveZero(ErrorCode code) {
    assertThat(ExitCode.of(code).number()).isBetween(1, 10);
  }
}
