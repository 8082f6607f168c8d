// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerplexityCommandTest {
  private static final String MODEL = DemoModel.file().toString();

  @TempDir Path folder;
  private Path text = Path.of("");

  @BeforeEach
  void write() throws IOException {
    text = Files.writeString(folder.resolve("t.txt"), "Q: What is 3 + 4?\nA: 7\n".repeat(8));
  }

  @Test
  void logitsAreSavedAndComparedUnderASplit() {
    Path logits = folder.resolve("logits");
    Cli first = run("-f", text.toString(), "-c", "32", "--save-all-logits", logits.toString());
    assertThat(first.exit()).as(first.err()).isZero();
    assertThat(first.out()).containsPattern("Final estimate: PPL = \\d+\\.\\d{4} \\+/- \\d");
    assertThat(first.err()).contains("windows of 32 tokens, 15 scored in each", "[1]", "[5]");
    Cli other =
        run("--kl-divergence", "--kl-divergence-base", logits.toString(), "--devices", "cpu:0*2");
    assertThat(other.exit()).as(other.err()).isZero();
    assertThat(other.out())
        .containsPattern("Mean    KLD: +-?0\\.000\\d+ ± ")
        .contains("Same top p");
    Cli strided = run("-f", text.toString(), "-c", "32", "--ppl-stride", "16", "--chunks", "2");
    assertThat(strided.err()).contains("2 windows of 40 tokens, 16 scored in each");
  }

  @Test
  void whatIsMissingIsNamed() {
    assertThat(failed(2)).contains("-f");
    assertThat(failed(3, "-f", folder.resolve("none").toString())).contains("none");
    assertThat(failed(2, "-f", text.toString(), "-c", "4096")).contains("8192", "-c");
    assertThat(failed(2, "--kl-divergence")).contains("--kl-divergence-base");
    assertThat(failed(5, "--kl-divergence", "--kl-divergence-base", text.toString()))
        .contains("saved logits");
    assertThat(failed(2, "-f", text.toString(), "--ppl-stride", "8", "--save-all-logits", "x"))
        .contains("--ppl-stride");
  }

  private static String failed(int exit, String... options) {
    Cli cli = run(options);
    assertThat(cli.exit()).as(cli.err()).isEqualTo(exit);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).doesNotContain("\tat ");
    return cli.err();
  }

  private static Cli run(String... options) {
    List<String> line = new ArrayList<>(List.of("perplexity", "-m", MODEL));
    line.addAll(List.of(options));
    return Cli.run(line.toArray(String[]::new));
  }
}
