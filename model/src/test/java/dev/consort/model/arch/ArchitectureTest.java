// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Graphs of models against logits of a reference. The system property {@code consort.fixtures}
 * names a folder with more models ({@code NAME.gguf} beside {@code NAME.logits}).
 */
class ArchitectureTest {
  private static final double LIMIT = 1e-6;

  static Stream<FixtureModel> models() throws IOException, URISyntaxException {
    var resource = Objects.requireNonNull(ArchitectureTest.class.getResource("llama-q4_k_m.gguf"));
    Path own = Path.of(resource.toURI()).getParent();
    String more = System.getProperty("consort.fixtures", "");
    List<Path> folders = more.isEmpty() ? List.of(own) : List.of(own, Path.of(more));
    Stream.Builder<FixtureModel> found = Stream.builder();
    for (Path folder : folders) {
      try (Stream<Path> files = Files.list(folder)) {
        files
            .filter(f -> f.toString().endsWith(".logits"))
            .sorted()
            .map(f -> new FixtureModel(Path.of(f.toString().replace(".logits", ".gguf")), f))
            .forEach(found::add);
      }
    }
    return found.build();
  }

  @ParameterizedTest
  @MethodSource("models")
  void graphsGiveTheReferencesLogitsInOneBatch(FixtureModel model) {
    assertThat(model.error(FixtureModel.TOKENS)).isLessThan(LIMIT);
  }

  @ParameterizedTest
  @MethodSource("models")
  void graphsGiveTheReferencesLogitsInPieces(FixtureModel model) {
    assertThat(model.error(17)).isLessThan(LIMIT);
  }

  @Test
  void anUnknownArchitectureIsAnsweredWithThoseThatExist() {
    assertThatThrownBy(() -> Architectures.of("m.gguf", "mamba"))
        .hasMessageContainingAll("m.gguf", "mamba", "llama", "qwen3moe");
  }
}
