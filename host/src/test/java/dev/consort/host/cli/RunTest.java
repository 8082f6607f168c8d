// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunTest {
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "cpu:0, tensor, 0",
    "cpu:0*2, tensor, 12",
    "cpu:0*4, tensor, 12",
    "cpu:0*3, layer, 0",
    "cpu:0*2, none, 0"
  })
  void theDemoModelCalculatesOnAnyMetaDevice(String devices, String split, int reduces) {
    Cli cli = Cli.run("run", "--devices", devices, "--split", split);
    assertThat(cli.err()).as(cli.err()).contains("split " + split, reduces + " reduces per token");
    assertThat(cli.exit()).isZero();
    assertThat(cli.out().strip()).isEqualTo("623");
  }

  @Test
  void withoutAnyOptionTwoVirtualMembersAnswer() {
    Cli cli = Cli.run("run");
    assertThat(cli.out().strip()).isEqualTo("623");
    assertThat(cli.err())
        .contains("What is 348 + 275?", "12 reduces per token", "answer: 4 tokens", "tokens/s")
        .containsPattern("0 +cpu:0")
        .containsPattern("1 +cpu:0");
  }

  @Test
  void aPromptMayHoldEscapes() {
    Cli cli = Cli.run("run", "-p", "Q: What is 12 + 30?\\nA: ", "--devices", "cpu:0");
    assertThat(cli.out().strip()).isEqualTo("42");
  }

  @Test
  void theSameSeedGivesTheSameText() {
    String[] line = {
      "run", "-p", "Q: ", "--temp", "1", "-n", "30", "-s", "7", "--devices", "cpu:0"
    };
    Cli first = Cli.run(line);
    assertThat(first.exit()).isZero();
    assertThat(Cli.run(line).out()).isEqualTo(first.out());
    line[8] = "8";
    assertThat(Cli.run(line).out()).isNotEqualTo(first.out());
  }

  @Test
  void noMoreTokensAreGeneratedThanAskedFor() {
    Cli cli = Cli.run("run", "-n", "2", "--devices", "cpu:0");
    assertThat(cli.out().strip()).isEqualTo("62");
  }

  @Test
  void aPromptThatDoesNotFitTheContextIsRefused() {
    Cli cli = Cli.run("run", "-c", "8", "--devices", "cpu:0");
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("26 tokens", "1 to 8", "-c");
    assertThat(cli.out()).isEmpty();
  }

  @Test
  void escapesBecomeWhatTheyStandFor() {
    assertThat(RunCommand.unescape("a\\nb\\tc\\\\n\\q\\")).isEqualTo("a\nb\tc\\n\\q\\");
  }

  @Test
  void aSavedTextGoesOnUnderAnotherSplit(@TempDir Path folder) {
    String file = folder.resolve("saved").toString();
    Cli whole = Cli.run("run", "-p", "Q: Write 348 as a Roman numeral.\\nA: ", "-n", "9");
    assertThat(whole.out().strip()).isEqualTo("CCCXLVIII");
    Cli first =
        Cli.run(
            "run",
            "-p",
            "Q: Write 348 as a Roman numeral.\\nA: ",
            "-n",
            "4",
            "--save-cache",
            file,
            "--devices",
            "cpu:0*3");
    assertThat(first.exit()).as(first.err()).isZero();
    assertThat(first.err()).contains("saved 41 tokens to " + file);
    Cli rest = Cli.run("run", "--load-cache", file, "-n", "5", "--devices", "cpu:0");
    assertThat(first.out().strip() + rest.out().strip()).isEqualTo("CCCXLVIII");
    assertThat(rest.err()).contains("prompt: 1 tokens");
    Cli again = Cli.run("run", "-p", "Q: Write 12 as a Roman numeral.\\nA: ", "--load-cache", file);
    assertThat(again.out().strip()).isEqualTo("XII");
    assertThat(again.err()).contains("prompt: 26 tokens");
  }
}
