// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.example;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AskTest {
  @ParameterizedTest
  @ValueSource(strings = {"cpu:0", "cpu:0*2", "cpu:0*3"})
  void theExampleAnswersOnAnyDevices(String devices) {
    assertThat(Ask.answer(DemoModel.file(), devices, "Q: What is 348 + 275?\nA: "))
        .isEqualTo("623");
  }

  @Test
  void theReadmeShowsTheExampleThatIsRunHere() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    List<String> lines =
        Files.readAllLines(root.resolve("host/src/test/java/dev/consort/host/example/Ask.java"));
    int from = lines.indexOf("final class Ask {");
    String readme = Files.readString(root.resolve("README.md"));
    assertThat(readme).contains(String.join("\n", lines.subList(from, lines.size())));
  }
}
