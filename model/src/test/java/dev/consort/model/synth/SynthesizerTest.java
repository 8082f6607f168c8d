// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.DataType;
import dev.consort.api.quant.Codec;
import dev.consort.model.Model;
import dev.consort.model.arch.GraphSize;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufTensor;
import dev.consort.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SynthesizerTest {
  private static final Geometry DENSE = Geometry.dense(3, 256, 8, 4, 512, 512);
  private static final Geometry EXPERTS = new Geometry(3, 256, 8, 4, 32, 256, 512, 512, 8, 2);

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(WeightMix.class)
  void whatIsWrittenOpensAsAModel(WeightMix mix) {
    for (Geometry geometry : List.of(DENSE, EXPERTS)) {
      Path path = folder.resolve("m.gguf");
      new Synthesizer(geometry, mix, 1).write(path, 2, (bytes, of) -> {});
      try (Model model = Model.open(path)) {
        assertThat(model.parameters().layers()).isEqualTo(3);
        assertThat(model.graph(new GraphSize(2, 1, 64, 64, DataType.F16, DataType.F16)).nodes())
            .isNotEmpty();
        Tokenizer tokenizer = model.tokenizer().orElseThrow();
        assertThat(tokenizer.decode(tokenizer.encode("Hällo, w500!"))).isEqualTo("Hällo, w500!");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"llama-q4_k_m.gguf", "qwen3moe-q4_k_m.gguf"})
  void theMixtureIsThatOfTheQuantizer(String fixture) throws URISyntaxException {
    Geometry geometry = fixture.startsWith("llama") ? DENSE : EXPERTS;
    Path path = folder.resolve("m.gguf");
    new Synthesizer(geometry, WeightMix.Q4_K_M, 1).write(path, 1, (bytes, of) -> {});
    Path original =
        Path.of(Objects.requireNonNull(Model.class.getResource("arch/" + fixture)).toURI());
    try (GgufFile file = GgufFile.open(path);
        GgufFile expected = GgufFile.open(original)) {
      for (GgufTensor tensor : expected.tensors()) {
        if (!tensor.name().equals("rope_freqs.weight")) {
          assertThat(file.tensor(tensor.name()).type()).as(tensor.name()).isEqualTo(tensor.type());
          assertThat(file.tensor(tensor.name()).shape()).isEqualTo(tensor.shape());
        }
      }
    }
  }

  @Test
  void weightsAreSpreadAsTheyShouldBeAndDiffer() {
    Path path = folder.resolve("m.gguf");
    new Synthesizer(DENSE, WeightMix.Q4_0, 1).write(path, 1, (bytes, of) -> {});
    try (GgufFile file = GgufFile.open(path)) {
      float[] q = decode(file.tensor("blk.0.attn_q.weight"));
      double square = 0;
      for (float value : q) {
        square += value * value;
      }
      assertThat(square / q.length).isBetween(0.9 / 256, 1.1 / 256);
      assertThat(q).isNotEqualTo(decode(file.tensor("blk.1.attn_q.weight")));
      assertThat(decode(file.tensor("output_norm.weight"))[0]).isBetween(0.8f, 1.2f);
    }
  }

  @Test
  void theFileDependsOnTheSeedAndNotOnTheThreads() throws IOException {
    byte[][] files = new byte[3][];
    for (int i = 0; i < files.length; i++) {
      Path path = folder.resolve(i + ".gguf");
      new Synthesizer(EXPERTS, WeightMix.Q4_K_M, i / 2).write(path, 1 + i, (bytes, of) -> {});
      files[i] = Files.readAllBytes(path);
    }
    assertThat(files[1]).isEqualTo(files[0]);
    assertThat(files[2]).isNotEqualTo(files[0]);
  }

  @Test
  void progressEndsWithEverything() {
    List<Long> seen = new ArrayList<>();
    new Synthesizer(DENSE, WeightMix.F16, 1)
        .write(folder.resolve("m.gguf"), 2, (bytes, of) -> seen.add(of - bytes));
    assertThat(seen).isSortedAccordingTo((a, b) -> Long.compare(b, a)).endsWith(0L);
  }

  @Test
  void aFailureLeavesNothingBehind() throws IOException {
    Path path = folder.resolve("m.gguf");
    assertThatThrownBy(
            () ->
                new Synthesizer(DENSE, WeightMix.F16, 1)
                    .write(
                        path,
                        2,
                        (bytes, of) -> {
                          throw new IllegalStateException("enough");
                        }))
        .hasMessageContaining("enough");
    assertThatThrownBy(
            () ->
                new Synthesizer(DENSE, WeightMix.F16, 1)
                    .write(folder.resolve("none/m.gguf"), 1, (bytes, of) -> {}))
        .hasMessageContaining("none/m.gguf");
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void sizesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> Geometry.dense(3, 256, 8, 3, 512, 512))
        .hasMessageContaining("8 heads, 3 kv heads");
    assertThatThrownBy(() -> Geometry.preset("9b")).hasMessageContainingAll("9b", "1.1b", "8b");
    assertThatThrownBy(() -> WeightMix.of("q9")).hasMessageContainingAll("q9", "q4_k_m");
  }

  private static float[] decode(GgufTensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    Codec.of(tensor.type())
        .decode(tensor.data(), 0, MemorySegment.ofArray(values), 0, values.length);
    return values;
  }
}
