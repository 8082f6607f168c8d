// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.demo.DemoModel;
import dev.consort.model.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BadInputTest {
  @TempDir Path folder;

  @AfterEach
  void nothingIsWritten() {
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      value = {
        "-t 1,384 ; 2 ; token 2 of the list is 384 | 0 to 383",
        "-t 1,-1 ; 2 ; token 2 of the list is -1",
        "-t 1,x ; 2 ; \"x\" | 1,15,7",
        "-t 1 --devices cuda:0 ; 3 ; no device \"cuda:0\" | cpu:0",
        "-t 1 --devices cpu:0*17 ; 2 ; 17 members | at most 16",
        "-t 1 --devices cpu:0*2 -ts 1,2,3 ; 2 ; 3 numbers for 2 members",
        "-t 1 --devices cpu:0*2 -ts 1,x ; 2 ; \"x\" is no number",
        "-t 1 --devices cpu:0*2 -ts 0,0 ; 2 ; one above 0",
        "-t 1 --split rows ; 2 ; rows",
        "-t 1 --wire f16 ; 2 ; expected f32, bf16",
        "-t 1 -ctk q3 ; 2 ; \"q3\" | f32, f16 and bf16",
        "-t 1 --threads -2 ; 2 ; -2 threads",
        "-t 1,2,3 -c 2 ; 7 ; 3 tokens | -c",
        "-t 1 -c 50000000 ; 7 ; bytes | smaller",
      })
  void isAnsweredWithOneMessageAndItsExitCode(String options, int exit, String texts) {
    Cli cli = logits(DemoModel.file(), options.split(" "));
    assertThat(cli.exit()).as(cli.err()).isEqualTo(exit);
    for (String text : texts.split(" \\| ")) {
      assertThat(cli.err()).contains(text);
    }
    assertThat(cli.err()).doesNotContain("\tat ", "Exception");
    assertThat(cli.out()).isEmpty();
  }

  @Test
  void aModelThatIsMissingIsNotFound() {
    Path gone = folder.resolve("gone.gguf");
    assertThat(failed(gone, 3)).contains(gone.toString(), "no such file");
  }

  @Test
  void aFileThatIsNoModelIsInvalid() throws IOException {
    Path file = Files.writeString(folder.resolve("a.gguf"), "once upon a time there was a model");
    assertThat(failed(file, 5)).contains(file.toString());
  }

  @ParameterizedTest
  @CsvSource({"0", "3", "20", "1000", "9000", "100000", "5000000"})
  void aModelThatWasCutOffIsInvalid(int bytes) throws IOException {
    byte[] whole = Files.readAllBytes(DemoModel.file());
    Path file = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, bytes));
    assertThat(failed(file, 5)).contains(file.toString());
  }

  @Test
  void anArchitectureThatIsNotKnownIsUnsupported() {
    Path file = folder.resolve("other.gguf");
    try (GgufWriter writer = GgufWriter.create(file)) {
      writer.string("general.architecture", "perceptron").begin().finish();
    }
    assertThat(failed(file, 4)).contains(file.toString(), "perceptron", "llama");
  }

  @Test
  void aModelWithoutAPromptIsAUsageError() {
    Cli cli = Cli.run("run", "-m", DemoModel.file().toString());
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("-p");
  }

  @Test
  void aBenchmarkOfNothingIsAUsageError() {
    Cli cli = Cli.run("bench", "-m", DemoModel.file().toString(), "-p", "0", "-n", "0");
    assertThat(cli.exit()).isEqualTo(2);
    assertThat(cli.err()).contains("nothing is left to measure");
  }

  private String failed(Path model, int exit) {
    Cli cli = logits(model, "-t", "1");
    assertThat(cli.exit()).as(cli.err()).isEqualTo(exit);
    assertThat(cli.err()).doesNotContain("\tat ");
    return cli.err();
  }

  private Cli logits(Path model, String... options) {
    String[] line = {"logits", "-m", model.toString(), "-o", folder.resolve("out").toString()};
    String[] all = Arrays.copyOf(line, line.length + options.length);
    System.arraycopy(options, 0, all, line.length, options.length);
    return Cli.run(all);
  }
}
