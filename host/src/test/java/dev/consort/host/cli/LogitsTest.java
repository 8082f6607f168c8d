// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.check.ErrorLimit;
import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogitsTest {
  private static final String TOKENS = "1,40,41,99,300,12,7,259";

  @TempDir Path folder;

  @Test
  void everyTokenGetsARow() throws IOException {
    float[] batch = logits();
    assertThat(batch).hasSize(8 * 384);
    float[] step = logits("--step");
    assertThat(ErrorLimit.nmse(step, batch)).isLessThan(1e-6);
    float[] split = logits("--devices", "cpu:0*2", "--tensor-split", "3,1");
    assertThat(ErrorLimit.nmse(split, batch)).isLessThan(1e-4);
    assertThat(batch[0]).isNotEqualTo(batch[384]);
  }

  @Test
  void anF16CacheIsNearAnF32Cache() throws IOException {
    double distance = ErrorLimit.nmse(logits("-ctk", "f16", "-ctv", "f16"), logits());
    assertThat(distance).isBetween(1e-12, 1e-4);
  }

  @Test
  void aFileThatIsThereIsReplaced() throws IOException {
    Path file = Files.writeString(folder.resolve("out"), "old");
    assertThat(run(file).exit()).isZero();
    assertThat(file).hasSize(8 * 384 * 4);
  }

  @Test
  void whereItFailsNothingIsLeftBehind() throws IOException {
    Path old = Files.writeString(folder.resolve("out"), "old");
    Cli cli = run(old, "--devices", "cpu:9");
    assertThat(cli.exit()).isEqualTo(3);
    assertThat(old).hasContent("old");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(old);
    }
  }

  @Test
  void aFolderThatIsNotThereIsToldBeforeTheWorkIsDone() {
    Cli cli = run(folder.resolve("gone").resolve("out"));
    assertThat(cli.exit()).isEqualTo(6);
    assertThat(cli.err()).contains("gone", "can't be written").doesNotContain("\tat ");
  }

  @Test
  void aFolderIsNoOutputFile() {
    Cli cli = run(folder);
    assertThat(cli.exit()).isEqualTo(6);
    assertThat(cli.err()).contains("is a folder");
  }

  private float[] logits(String... more) throws IOException {
    Path file = folder.resolve("logits-" + String.join("", more).replaceAll("\\W", ""));
    Cli cli = run(file, more);
    assertThat(cli.exit()).as(cli.err()).isZero();
    float[] logits = new float[(int) Files.size(file) / Float.BYTES];
    ByteBuffer.wrap(Files.readAllBytes(file))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(logits);
    return logits;
  }

  private static Cli run(Path output, String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "logits",
                "-m",
                DemoModel.file().toString(),
                "-t",
                TOKENS,
                "-o",
                output.toString()));
    line.addAll(List.of(more));
    return Cli.run(line.toArray(String[]::new));
  }
}
