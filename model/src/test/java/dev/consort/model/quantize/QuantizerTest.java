// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.quant.Codec;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufTensor;
import dev.consort.model.gguf.GgufWriter;
import dev.consort.model.synth.Geometry;
import dev.consort.model.synth.Synthesizer;
import dev.consort.model.synth.WeightMix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantizerTest {
  private static final Geometry DENSE = Geometry.dense(8, 256, 4, 2, 256, 320);
  private static final Geometry EXPERTS = new Geometry(1, 256, 4, 2, 64, 256, 320, 512, 8, 2);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "Q8_0, F16, 0.0001",
    "Q4_0, F32, 0.01",
    "Q4_K_M, BF16, 0.006",
    "Q5_K_M, F16, 0.002",
    "Q6_K, F16, 0.0006"
  })
  void everyTensorGetsTheTypeOfTheMixtureAndKeepsItsValues(
      WeightMix mix, WeightMix from, double limit) {
    for (Geometry geometry : List.of(DENSE, EXPERTS)) {
      Path source = synthesize("in.gguf", geometry, from);
      Path model = synthesize("expected.gguf", geometry, mix);
      Path target = quantize(source, mix, 2);
      try (GgufFile before = GgufFile.open(source);
          GgufFile expected = GgufFile.open(model);
          GgufFile after = GgufFile.open(target)) {
        assertThat(after.tensors()).hasSameSizeAs(before.tensors());
        for (GgufTensor tensor : before.tensors()) {
          GgufTensor made = after.tensor(tensor.name());
          assertThat(made.type())
              .as(tensor.name())
              .isEqualTo(expected.tensor(tensor.name()).type());
          assertThat(made.shape()).isEqualTo(tensor.shape());
          assertThat(distance(made, tensor)).as(made.toString()).isLessThan(limit);
        }
        for (String key : before.metadata().keys()) {
          if (!key.equals("general.file_type")) {
            assertThat(after.metadata().describe(key)).isEqualTo(before.metadata().describe(key));
          }
        }
        assertThat(after.metadata().strings("tokenizer.ggml.tokens").get(300))
            .isEqualTo(before.metadata().strings("tokenizer.ggml.tokens").get(300));
        assertThat(after.metadata().integer("general.file_type"))
            .isEqualTo(expected.metadata().integer("general.file_type"));
      }
    }
  }

  @Test
  void theFileDoesNotDependOnTheThreads() throws IOException {
    Path source = synthesize("in.gguf", EXPERTS, WeightMix.F16);
    byte[] one = Files.readAllBytes(quantize(source, WeightMix.Q4_K_M, 1));
    assertThat(Files.readAllBytes(quantize(source, WeightMix.Q4_K_M, 3))).isEqualTo(one);
  }

  @Test
  void anEmbeddingThatIsAlsoTheHeadGetsTheHeadsType() {
    Path source = folder.resolve("tied.gguf");
    write(source, new float[256 * 4], Shape.of(256, 4));
    try (GgufFile after = GgufFile.open(quantize(source, WeightMix.Q4_0, 1))) {
      assertThat(after.tensor("token_embd.weight").type()).isEqualTo(DataType.Q6_K);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_K_M, 96, Q8_0",
    "Q4_0, 96, Q8_0",
    "Q6_K, 96, Q8_0",
    "Q4_0, 40, F16",
    "Q8_0, 40, F16"
  })
  void rowsThatBlocksDoNotFitGetAnotherType(WeightMix mix, int row, DataType type) {
    Path source = folder.resolve("odd.gguf");
    write(source, new float[row * 4], Shape.of(row, 4));
    try (GgufFile after = GgufFile.open(quantize(source, mix, 1))) {
      assertThat(after.tensor("token_embd.weight").type()).isEqualTo(type);
    }
  }

  @Test
  void weightsThatAreQuantisedAlreadyAreTakenOnlyIfAllowed() {
    Path source = synthesize("in.gguf", DENSE, WeightMix.Q8_0);
    assertThatThrownBy(() -> quantize(source, WeightMix.Q4_0, 1))
        .hasMessageContainingAll("token_embd.weight", "q8_0", "--allow-requantize");
    assertThat(folder.resolve("out.gguf")).doesNotExist();
    try (GgufFile file = GgufFile.open(source)) {
      new Quantizer(WeightMix.Q4_0, Quantizer.Again.ALLOW)
          .write(file, folder.resolve("out.gguf"), 1, (done, of) -> {});
    }
    assertThat(folder.resolve("out.gguf")).exists();
  }

  @Test
  void aWeightThatIsNoNumberIsNamedAndNothingIsLeft() throws IOException {
    Path source = folder.resolve("nan.gguf");
    float[] values = new float[256 * 4];
    values[777] = Float.NaN;
    write(source, values, Shape.of(256, 4));
    assertThatThrownBy(() -> quantize(source, WeightMix.Q8_0, 2))
        .hasMessageContainingAll("token_embd.weight", "element 777", "NaN");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(source);
    }
  }

  @Test
  void progressEndsWithEverything() {
    List<Long> left = new ArrayList<>();
    try (GgufFile file = GgufFile.open(synthesize("in.gguf", DENSE, WeightMix.F16))) {
      new Quantizer(WeightMix.Q8_0, Quantizer.Again.REFUSE)
          .write(file, folder.resolve("out.gguf"), 2, (done, of) -> left.add(of - done));
    }
    assertThat(left).endsWith(0L).hasSizeGreaterThan(10);
  }

  private Path synthesize(String name, Geometry geometry, WeightMix mix) {
    Path path = folder.resolve(name);
    new Synthesizer(geometry, mix, 1).write(path, 1, (done, of) -> {});
    return path;
  }

  private Path quantize(Path source, WeightMix mix, int threads) {
    Path target = folder.resolve("out.gguf");
    try (GgufFile file = GgufFile.open(source)) {
      new Quantizer(mix, Quantizer.Again.REFUSE).write(file, target, threads, (done, of) -> {});
    }
    return target;
  }

  private static void write(Path path, float[] values, Shape shape) {
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer
          .string("general.architecture", "llama")
          .tensor("token_embd.weight", DataType.F32, shape)
          .begin();
      MemorySegment bytes = Arena.ofAuto().allocate(4L * values.length, 4);
      MemorySegment.copy(
          values, 0, bytes, java.lang.foreign.ValueLayout.JAVA_FLOAT, 0, values.length);
      writer.write("token_embd.weight", 0, bytes);
      writer.finish();
    }
  }

  /** Squared distance over squared length. */
  private static double distance(GgufTensor found, GgufTensor expected) {
    float[] a = decode(found);
    float[] b = decode(expected);
    double error = 0;
    double square = 0;
    for (int i = 0; i < a.length; i++) {
      error += (a[i] - b[i]) * (double) (a[i] - b[i]);
      square += (double) b[i] * b[i];
    }
    return error / square;
  }

  private static float[] decode(GgufTensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    Codec.of(tensor.type())
        .decode(tensor.data(), 0, MemorySegment.ofArray(values), 0, values.length);
    return values;
  }
}
