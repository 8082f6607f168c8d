// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {
  private static final String MODEL = DemoModel.file().toString();

  @TempDir Path folder;

  @Test
  void aQuantisedModelStillCalculates() {
    String half = folder.resolve("half.gguf").toString();
    String small = folder.resolve("small.gguf").toString();
    assertThat(Cli.run("quantize", MODEL, half, "f16", "--allow-requantize").exit()).isZero();
    Cli cli = Cli.run("quantize", half, small, "Q4_K_M", "-t", "2");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.err())
        .contains("tensors of type q4_k", "tensors of type q6_k", "wrote " + small);
    assertThat(Path.of(small)).hasSize(2_934_272);
    Cli run = Cli.run("run", "-m", small, "-p", "Q: What is 12 + 30?\\nA: ", "--devices", "cpu:0");
    assertThat(run.out().strip()).isEqualTo("42");
  }

  @Test
  void whatCannotBeDoneIsNamedAndLeavesNothing() throws IOException {
    String out = folder.resolve("out.gguf").toString();
    assertThat(failed(4, MODEL, out, "q4_0")).contains("--allow-requantize");
    assertThat(failed(2, MODEL, out, "q9")).contains("q9", "q4_k_m");
    assertThat(failed(3, folder.resolve("none").toString(), out, "q4_0")).contains("none");
    assertThat(failed(6, MODEL, folder.resolve("no/out").toString(), "q8_0")).contains("no/out");
    assertThat(failed(2, MODEL, MODEL, "f16", "--allow-requantize")).contains("name another");
    assertThat(failed(6, MODEL, folder.toString(), "q8_0")).contains("is a folder");
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  private static String failed(int exit, String... line) {
    String[] all = new String[line.length + 1];
    all[0] = "quantize";
    System.arraycopy(line, 0, all, 1, line.length);
    Cli cli = Cli.run(all);
    assertThat(cli.exit()).as(cli.err()).isEqualTo(exit);
    return cli.err();
  }
}
