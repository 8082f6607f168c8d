// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.Tensor;
import dev.consort.model.Model;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufTensor;
import dev.consort.model.gguf.GgufWriter;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraphTest {
  private static final GraphSize SIZE = new GraphSize(8, 2, 64, 64, DataType.F16, DataType.BF16);

  private static final int EXTRA = 7;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"llama-q4_k_m.gguf", "qwen3moe-q4_k_m.gguf"})
  void everyMatrixButTheRouterIsSplitAndEverythingElseIsWhole(String name) {
    try (Model model = Model.open(resource(name))) {
      for (Tensor leaf : model.graph(SIZE).leaves()) {
        if (leaf.operation() instanceof Operation.Weight weight) {
          boolean splits = leaf.ne(1) > 1 && !leaf.name().contains("ffn_gate_inp");
          assertThat(weight.shard().isPresent()).as(leaf.name()).isEqualTo(splits);
        }
      }
    }
  }

  @Test
  void attentionIsSplitByKeyValueHeadsAndTheCacheWithIt() {
    try (Model model = Model.open(resource("llama-q4_k_m.gguf"))) {
      Map<String, Shard> shards = shards(model.graph(SIZE));
      Shard q = shards.get("blk.1.attn_q.weight");
      assertThat(q.axis()).isEqualTo(1);
      assertThat(q.group().units()).isEqualTo(4);
      assertThat(q.elementsPerUnit()).containsExactly(64L);
      for (String other : new String[] {"blk.1.attn_k.weight", "cache_k.1", "cache_v.1"}) {
        assertThat(shards.get(other).group()).as(other).isEqualTo(q.group());
        assertThat(shards.get(other).axis()).as(other).isEqualTo(1);
      }
      assertThat(shards.get("blk.1.attn_output.weight")).isEqualTo(Shard.of(0, q.group(), 64));
      assertThat(shards.get("blk.1.ffn_down.weight").axis()).isZero();
      assertThat(shards.get("blk.1.ffn_down.weight").group())
          .isEqualTo(shards.get("blk.1.ffn_up.weight").group());
      assertThat(shards.get("output.weight").group().units()).isEqualTo(512);
    }
  }

  @Test
  void inputsStatesAndOutputHaveTheirNamesAndShapes() {
    try (Model model = Model.open(resource("llama-q4_k_m.gguf"))) {
      Graph graph = model.graph(SIZE);
      Map<String, Tensor> leaves =
          graph.leaves().stream().collect(Collectors.toMap(Tensor::name, t -> t));
      assertThat(leaves.get("embeddings").shape()).isEqualTo(Shape.of(256, 8));
      assertThat(leaves.get("positions").shape()).isEqualTo(Shape.of(8));
      assertThat(leaves.get("slots").shape()).isEqualTo(Shape.of(8));
      assertThat(leaves.get("queries").shape()).isEqualTo(Shape.of(2, 8));
      assertThat(leaves.get("cells").shape()).isEqualTo(Shape.of(2, 64));
      assertThat(leaves.get("live").shape()).isEqualTo(Shape.of(1));
      assertThat(leaves.get("outputs").shape()).isEqualTo(Shape.of(2));
      assertThat(leaves.get("cache_k.2").shape()).isEqualTo(Shape.of(32, 4, 64));
      assertThat(leaves.get("cache_k.2").type()).isEqualTo(DataType.F16);
      assertThat(leaves.get("cache_v.0").type()).isEqualTo(DataType.BF16);
      Tensor logits = graph.outputs().iterator().next();
      assertThat(logits.name()).isEqualTo("logits");
      assertThat(logits.shape()).isEqualTo(Shape.of(512, 2));
    }
  }

  @Test
  void tiedEmbeddingsServeAsHead() {
    Path path = changed("output.weight", List.of());
    try (Model model = Model.open(path)) {
      assertThat(shards(model.graph(SIZE))).containsKey("token_embd.weight");
    }
  }

  @Test
  void missingAndMisshapenAndForeignTensorsAreNamed() {
    Path missing = changed("blk.1.ffn_up.weight", List.of());
    try (Model model = Model.open(missing)) {
      assertThatThrownBy(() -> model.graph(SIZE)).hasMessageContaining("blk.1.ffn_up.weight");
    }
    Path misshapen = changed("blk.1.attn_norm.weight", List.of("blk.1.attn_norm.weight"));
    try (Model model = Model.open(misshapen)) {
      assertThatThrownBy(() -> model.graph(SIZE))
          .hasMessageContainingAll("blk.1.attn_norm.weight", "[7, 1, 1, 1]", "[256, 1, 1, 1]");
    }
    Path foreign = changed("", List.of("blk.1.ssm.weight"));
    try (Model model = Model.open(foreign)) {
      assertThatThrownBy(() -> model.graph(SIZE))
          .hasMessageContainingAll("1 tensors", "blk.1.ssm.weight");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama.block_count=0",
        "llama.embedding_length=255",
        "llama.attention.head_count=0",
        "llama.attention.head_count_kv=3",
        "llama.rope.dimension_count=31",
        "llama.attention.sliding_window=-1",
        "general.architecture=mamba"
      })
  void valuesThatCannotBeAreNamed(String change) {
    String key = change.split("=")[0];
    String value = change.split("=")[1];
    Path path =
        rewritten(
            writer -> {
              if (value.equals("mamba")) {
                writer.string(key, value);
              } else {
                writer.integer(key, Integer.parseInt(value));
              }
            },
            key::equals,
            t -> true,
            List.of());
    assertThatThrownBy(
            () -> {
              try (Model model = Model.open(path)) {
                model.graph(SIZE);
              }
            })
        .hasMessageContainingAll("changed.gguf", value.equals("-1") ? "sliding_window" : value);
  }

  @Test
  void sizesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> new GraphSize(1, 2, 8, 8, DataType.F32, DataType.F32))
        .hasMessageContaining("outputs");
  }

  private static Map<String, Shard> shards(Graph graph) {
    Map<String, Shard> shards = new LinkedHashMap<>();
    for (Tensor leaf : graph.leaves()) {
      ((Operation.Leaf) leaf.operation()).shard().ifPresent(s -> shards.put(leaf.name(), s));
    }
    return shards;
  }

  /** The llama fixture with other tensors: without one, and with some of seven zeros. */
  private Path changed(String without, List<String> extra) {
    return rewritten(w -> {}, key -> false, t -> !t.name().equals(without), extra);
  }

  private Path rewritten(
      Consumer<GgufWriter> add,
      Predicate<String> dropKey,
      Predicate<GgufTensor> keep,
      List<String> extra) {
    Path path = folder.resolve("changed.gguf");
    try (GgufFile file = GgufFile.open(resource("llama-q4_k_m.gguf"));
        GgufWriter writer = GgufWriter.create(path)) {
      for (String key : file.metadata().keys()) {
        if (!dropKey.test(key)) {
          copy(file, writer, key);
        }
      }
      file.tensors().stream()
          .filter(keep)
          .forEach(t -> writer.tensor(t.name(), t.type(), t.shape()));
      add.accept(writer);
      extra.forEach(name -> writer.tensor(name, DataType.F32, Shape.of(EXTRA)));
      writer.begin();
      file.tensors().stream().filter(keep).forEach(t -> writer.write(t.name(), 0, t.data()));
      extra.forEach(name -> writer.write(name, 0, MemorySegment.ofArray(new float[EXTRA])));
      writer.finish();
    }
    return path;
  }

  private static void copy(GgufFile file, GgufWriter writer, String key) {
    String text = file.metadata().describe(key).orElseThrow();
    if (key.startsWith("general.a") || key.startsWith("general.n") || key.startsWith("tok")) {
      writer.string(key, text);
    } else if (text.contains(".")) {
      writer.real(key, Float.parseFloat(text));
    } else {
      writer.integer(key, Integer.parseInt(text));
    }
  }

  private static Path resource(String name) {
    try {
      return Path.of(Objects.requireNonNull(GraphTest.class.getResource(name)).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
