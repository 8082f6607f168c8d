// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.check.Fixture;
import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasuringTest {
  private static final String MODEL = DemoModel.file().toString();

  @TempDir Path folder;

  @Test
  void benchWritesARowATest() {
    Cli cli =
        Cli.run(
            "bench",
            "-m",
            MODEL,
            "-p",
            "8,4",
            "-n",
            "4",
            "-d",
            "0,16",
            "-r",
            "2",
            "-o",
            "jsonl",
            "--devices",
            "cpu:0*2");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.lines()).hasSize(6);
    assertThat(cli.lines()[0])
        .contains("\"n_prompt\": 8", "\"n_gen\": 0", "\"n_depth\": 0", "\"avg_ts\": ")
        .contains("\"devices\": \"cpu:0+cpu:0\"", "\"reduces_per_token\": 12");
    assertThat(cli.lines()[5]).contains("\"n_prompt\": 0", "\"n_gen\": 4", "\"n_depth\": 16");
  }

  @Test
  void theSecondHalfOfAConversationBuildsNoPlans() {
    Cli cli = Cli.run("bench", "-m", MODEL, "-p", "8", "-n", "4", "--turns", "6", "-o", "csv");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.lines()).hasSize(13);
    int plans = List.of(cli.lines()[0].split(",")).indexOf("plans_per_token");
    for (String line : Arrays.copyOfRange(cli.lines(), 7, 13)) {
      assertThat(line.split(",")[plans]).isEqualTo("0");
    }
  }

  @Test
  void checkPassesOnTheTruthAndFailsOnAnything() throws IOException {
    Path model = folder.resolve("llama-q8_0.gguf");
    Path truth = folder.resolve("llama-q8_0.logits");
    Files.copy(DemoModel.file(), model);
    String tokens =
        Arrays.stream(Fixture.tokens(6, 384))
            .mapToObj(String::valueOf)
            .collect(Collectors.joining(","));
    assertThat(
            Cli.run("logits", "-m", model.toString(), "-t", tokens, "-o", truth.toString()).exit())
        .isZero();

    Cli right = check();
    assertThat(right.exit()).as(right.out() + right.err()).isZero();
    assertThat(right.lines()).hasSize(5);
    assertThat(right.out()).contains("llama-q8_0,cpu:0*2,step", "passed").doesNotContain("FAILED");

    byte[] bytes = Files.readAllBytes(truth);
    for (int i = 3; i < bytes.length; i += 40) {
      bytes[i] ^= (byte) 0x80;
    }
    Files.write(truth, bytes);
    Cli wrong = check();
    assertThat(wrong.exit()).isEqualTo(11);
    assertThat(wrong.out()).contains("FAILED");
  }

  @Test
  void aFolderWithoutFixturesIsNotFound() {
    Cli cli = check();
    assertThat(cli.exit()).isEqualTo(3);
    assertThat(cli.err()).contains("NAME.logits");
  }

  private Cli check() {
    return Cli.run(
        "check",
        "--fixtures",
        folder.toString(),
        "--devices",
        "cpu:0",
        "--devices",
        "cpu:0*2",
        "-o",
        "csv");
  }
}
