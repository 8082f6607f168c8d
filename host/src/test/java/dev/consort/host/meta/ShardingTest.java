// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import dev.consort.host.meta.Sharding.Exchange;
import dev.consort.model.Model;
import dev.consort.model.arch.GraphSize;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardingTest {
  private static final Path MODELS =
      Path.of("..", "model", "src", "test", "resources", "dev", "consort", "model", "arch");

  @ParameterizedTest
  @CsvSource({"llama-q4_k_m,1,0", "llama-q4_k_m,8,0", "qwen3moe-q4_k_m,1,3", "qwen3moe-q4_k_m,8,3"})
  void aModelNeedsTwoReducesALayerAndNothingIsGathered(String name, int tokens, long routings) {
    try (Model model = Model.open(MODELS.resolve(name + ".gguf"))) {
      Graph graph = model.graph(new GraphSize(tokens, tokens, 64, 64, DataType.F16, DataType.F16));
      Sharding.Sharded alike = Sharding.of(graph, true);
      assertThat(alike.exchanges(ExchangeKind.REDUCE)).isEqualTo(6);
      assertThat(alike.exchanges(ExchangeKind.GATHER)).isZero();
      assertThat(alike.exchanges(ExchangeKind.BROADCAST)).isZero();
      assertThat(alike.notes()).isEmpty();
      Sharding.Sharded mixed = Sharding.of(graph, false);
      assertThat(mixed.exchanges(ExchangeKind.REDUCE)).isEqualTo(6);
      assertThat(mixed.exchanges(ExchangeKind.GATHER)).isZero();
      assertThat(mixed.exchanges(ExchangeKind.BROADCAST)).as("routings").isEqualTo(routings);
    }
  }

  @Test
  void theReduceOfExpertsComesAfterTheirWeightedSum() {
    try (Model model = Model.open(MODELS.resolve("qwen3moe-q4_k_m.gguf"))) {
      Graph graph = model.graph(new GraphSize(4, 1, 64, 64, DataType.F16, DataType.F16));
      List<Tensor> reduced =
          Sharding.of(graph, true).items().stream()
              .filter(item -> item instanceof Exchange)
              .map(item -> ((Exchange) item).tensor())
              .toList();
      assertThat(reduced.stream().filter(tensor -> tensor.operation() instanceof Operation.Sum))
          .hasSize(3);
      assertThat(reduced).allMatch(tensor -> tensor.shape().elements() == 256L * 4);
    }
  }

  @Test
  void whatNoRuleCarriesIsMirroredOrGatheredAndNoted() {
    var builder = new GraphBuilder();
    ShardGroup group = new ShardGroup("g", 4);
    Tensor x = builder.input("x", DataType.F32, Shape.of(8));
    Tensor w = builder.weight("w", DataType.F32, Shape.of(8, 4), Shard.of(1, group, 1));
    Tensor normed = builder.weight("normed", DataType.F32, Shape.of(4, 2), Shard.of(0, group, 1));
    builder.output(builder.softMax(builder.matMul(w, x)));
    builder.output(builder.rmsNorm(normed, 1e-6f));
    Sharding.Sharded sharded = Sharding.of(builder.build(), true);
    assertThat(sharded.leaves().get(normed)).isEqualTo(SplitState.MIRRORED);
    assertThat(sharded.leaves().get(w).isOnAxis(1)).isTrue();
    assertThat(sharded.exchanges(ExchangeKind.GATHER)).isEqualTo(1);
    assertThat(sharded.notes())
        .hasSize(2)
        .anyMatch(note -> note.contains("normed is mirrored"))
        .anyMatch(note -> note.contains("is gathered"));
  }

  @Test
  void stagesTakeLayersInProportionToTheirShares() {
    try (Model model = Model.open(MODELS.resolve("llama-q4_k_m.gguf"))) {
      Graph graph = model.graph(new GraphSize(1, 1, 64, 64, DataType.F16, DataType.F16));
      Stages stages = new Stages(graph, new Remedies(new double[] {1, 0, 2}));
      assertThat(stages.hasWork(0)).isTrue();
      assertThat(stages.hasWork(1)).isFalse();
      assertThat(stages.hasWork(2)).isTrue();
      long first = states(stages.program(0));
      long last = states(stages.program(2));
      assertThat(first).as("caches of the first stage").isEqualTo(2);
      assertThat(last).as("caches of the last stage").isEqualTo(4);
    }
  }

  private static long states(MemberProgram program) {
    return program.leaves().keySet().stream()
        .filter(leaf -> leaf.operation() instanceof Operation.State)
        .count();
  }
}
