// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Device;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.host.check.ErrorLimit;
import dev.consort.host.check.Feeding;
import dev.consort.host.check.Fixture;
import dev.consort.host.check.LogitsRun;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.LimitedDevice;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole models on two members, of which one can't do all that they need. */
class RefusingMemberTest {
  private static final Predicate<Tensor> QUANTIZED =
      node -> !node.isLeaf() && node.source(0).root().type().isQuantized();

  @ParameterizedTest
  @EnumSource(names = {"TENSOR", "LAYER"})
  void aMemberWithoutQuantizedProductsHoldsItsWeightsAsF16(Split split) {
    EngineReport report = requireRight("llama-q4_k_m", 0, split, QUANTIZED);
    assertThat(report.notes())
        .isNotEmpty()
        .allMatch(note -> note.startsWith("two:1 holds ") && note.contains(" as f16, not q"));
    MemberReport full = report.members().get(0);
    MemberReport plain = report.members().get(1);
    assertThat(full.weightBytes()).isPositive();
    assertThat(plain.weightBytes())
        .as("bytes of weights, some of them 4.5 bits in the file")
        .isGreaterThan(2 * full.weightBytes());
  }

  @Test
  void expertsAreHeldAsF16Too() {
    EngineReport report = requireRight("qwen3moe-q4_k_m", 8, Split.TENSOR, QUANTIZED);
    assertThat(report.notes()).isNotEmpty().noneMatch(note -> note.contains("idle"));
  }

  @Test
  void aMemberWithoutNormsOrGluesTakesPart() {
    EngineReport report =
        requireRight(
            "llama-q4_k_m",
            0,
            Split.TENSOR,
            node ->
                node.operation() instanceof Operation.RmsNorm
                    || node.operation() instanceof Operation.Glu);
    assertThat(report.notes())
        .hasSize(2)
        .anyMatch(note -> note.startsWith("two:1 computes swiglu as simpler operations"))
        .anyMatch(note -> note.startsWith("one:0 computes ") && note.contains(" for all"));
  }

  /** The operations of a plugin that was made in an afternoon. */
  @Test
  void aMemberWithLittleMoreThanProductsTakesPart() {
    EngineReport report =
        requireRight(
            "llama-q4_k_m",
            0,
            Split.TENSOR,
            node ->
                switch (node.operation()) {
                  case Operation.MatMul op -> false;
                  case Operation.Binary op -> false;
                  case Operation.Scale op -> false;
                  case Operation.Unary op -> false;
                  case Operation.Copy op -> false;
                  default -> true;
                });
    assertThat(report.notes())
        .noneMatch(note -> note.contains("idle"))
        .anyMatch(note -> note.contains("two:1 refuses attention"));
    assertThat(report.members().get(0).cacheBytes()).isPositive();
    assertThat(report.members().get(1).cacheBytes()).isZero();
    assertThat(report.members().get(1).weightBytes()).isPositive();
  }

  /** Sinks are split with the heads; whoever computes the attention for all needs all of them. */
  @Test
  void aMemberWithoutAttentionTakesPartInAModelWithSinks() {
    EngineReport report =
        requireRight(
            "gpt-oss-tiny-f16",
            4,
            Split.TENSOR,
            node -> node.operation() instanceof Operation.Attention);
    assertThat(report.notes())
        .hasSize(1)
        .anyMatch(note -> note.startsWith("one:0 computes ") && note.contains("for all"));
    assertThat(report.members().get(0).cacheBytes()).isPositive();
    assertThat(report.members().get(1).cacheBytes()).isZero();
    assertThat(report.members().get(1).weightBytes()).isPositive();
  }

  @Test
  void aMemberThatAddsNoBiasesTakesPart() {
    EngineReport report =
        requireRight(
            "qwen2-tiny-f16",
            0,
            Split.TENSOR,
            node ->
                node.operation() instanceof Operation.Binary
                    && node.source(1).root().operation() instanceof Operation.Weight);
    assertThat(report.notes()).isNotEmpty().noneMatch(note -> note.contains("idle"));
  }

  @Test
  void whatIsRefusedForOneTokenOnlyIsKnownBeforeLoading() {
    EngineReport report =
        requireRight(
            "llama-q4_k_m",
            0,
            Split.TENSOR,
            node -> QUANTIZED.test(node) && node.source(1).ne(1) == 1);
    assertThat(report.notes()).isNotEmpty().allMatch(note -> note.contains(" as f16, not q"));
  }

  /** Batched and token by token; both members hold something. */
  private static EngineReport requireRight(
      String name, int experts, Split split, Predicate<Tensor> refused) {
    Path folder =
        Path.of("..", "model", "src", "test", "resources", "dev", "consort", "model", "arch");
    Device able = new ReferenceDevice(ReferenceOptions.of(0).plugin("one"));
    Device unable =
        new LimitedDevice(
            new ReferenceDevice(ReferenceOptions.of(1).plugin("two")), refused, "not here");
    var device =
        new MetaDevice(List.of(able, unable), new double[] {1, 1}, split, WirePolicy.EXACT);
    try (Model model = Model.open(folder.resolve(name + ".gguf"))) {
      var fixture =
          new Fixture(name, folder.resolve(name + ".gguf"), folder.resolve(name + ".logits"));
      LogitsRun run =
          LogitsRun.of(model, fixture.truth(model), device, EnumSet.allOf(Feeding.class));
      assertThat(run.nmse().values())
          .allSatisfy(nmse -> assertThat(nmse).isLessThan(ErrorLimit.of(name, experts)));
      assertThat(run.report().members()).noneMatch(MemberReport::isIdle);
      return run.report();
    }
  }
}
