// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.tck.Declaration;
import dev.consort.tck.cases.OperationCases;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** The oracle against numbers worked out by hand or taken from the definitions. */
class ReferenceArithmeticTest {
  private final GraphBuilder builder = new GraphBuilder();
  private final Map<String, MemorySegment> leaves = new HashMap<>();

  private Tensor floats(Shape shape, float... values) {
    Tensor tensor = builder.input("x" + leaves.size(), DataType.F32, shape);
    leaves.put(tensor.name(), MemorySegment.ofArray(values));
    return tensor;
  }

  private Tensor indices(Shape shape, int... values) {
    Tensor tensor = builder.input("i" + leaves.size(), DataType.I32, shape);
    leaves.put(tensor.name(), MemorySegment.ofArray(values));
    return tensor;
  }

  private Tensor state(Shape shape, float... values) {
    Tensor tensor = builder.state("s" + leaves.size(), DataType.F32, shape);
    leaves.put(tensor.name(), MemorySegment.ofArray(values));
    return tensor;
  }

  private MemorySegment bytes(Tensor result) {
    builder.output(result);
    return Reference.evaluate(builder.build(), leaves).get(result.name());
  }

  private void assertGives(Tensor result, double... expected) {
    float[] found = Reference.floats(result, bytes(result));
    assertThat(found).hasSize(expected.length);
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).as("element %d", i).isCloseTo(expected[i], Offset.offset(1e-6));
    }
  }

  @Test
  void aMatrixProductTakesRowsOfTheWeight() {
    Tensor w = floats(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    Tensor x = floats(Shape.of(2, 2), 1, 10, -1, 0);
    assertGives(builder.matMul(w, x), 21, 43, 65, -1, -3, -5);
  }

  @Test
  void aMatrixProductRepeatsTheWeightInGroups() {
    Tensor w = floats(Shape.of(1, 1, 2), 2, 3);
    Tensor x = floats(Shape.of(1, 1, 4), 1, 1, 1, 1);
    assertGives(builder.matMul(w, x), 2, 2, 3, 3);
  }

  @Test
  void aSumOverNothingIsZero() {
    assertGives(builder.matMul(floats(Shape.of(0, 2)), floats(Shape.of(0, 1))), 0, 0);
  }

  @Test
  void eachTokenHasItsExperts() {
    Tensor w = floats(Shape.of(1, 2, 3), 1, 2, 10, 20, 100, 200);
    Tensor x = floats(Shape.of(1, 1, 2), 1, 2);
    Tensor ids = indices(Shape.of(2, 2), 2, -1, 0, 1);
    assertGives(builder.matMulId(w, x, ids), 100, 200, 0, 0, 2, 4, 20, 40);
  }

  @Test
  void rowsAreFetchedByIndexAndNegativeOnesAreZero() {
    Tensor table = floats(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    assertGives(builder.getRows(table, indices(Shape.of(3), 2, -1, 0)), 5, 6, 0, 0, 1, 2);
  }

  @Test
  void rowsAreStoredByIndexAndNegativeOnesDropped() {
    Tensor state = state(Shape.of(1, 2, 3), 1, 2, 3, 4, 5, 6);
    Tensor rows = floats(Shape.of(1, 2, 2), 7, 8, 9, 10);
    Tensor next = builder.setRows(state, rows, indices(Shape.of(2), 2, -1));
    assertGives(next, 1, 2, 3, 4, 7, 8);
  }

  @Test
  void theSecondSourceIsRepeated() {
    Tensor a = floats(Shape.of(2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
    Tensor b = floats(Shape.of(1, 2), 10, 100);
    assertGives(builder.mul(a, b), 10, 20, 300, 400, 50, 60, 700, 800);
  }

  @Test
  void functionsOfOneElement() {
    Tensor x = floats(Shape.of(3), -1, 0, 2);
    assertGives(builder.unary(Operation.Unary.Kind.SILU, x), -0.26894142, 0, 1.7615942);
    assertGives(builder.unary(Operation.Unary.Kind.GELU, x), -0.15880801, 0, 1.9545977);
    assertGives(builder.unary(Operation.Unary.Kind.GELU_QUICK, x), -0.15420423, 0, 1.9356586);
    assertGives(builder.unary(Operation.Unary.Kind.RELU, x), 0, 0, 2);
    assertGives(builder.unary(Operation.Unary.Kind.SIGMOID, x), 0.26894142, 0.5, 0.88079708);
    assertGives(builder.unary(Operation.Unary.Kind.NEG, x), 1, 0, -2);
    assertGives(builder.add(new Operation.Scale(3, 1), x), -2, 1, 7);
    assertGives(builder.clamp(x, -0.5f, 1), -0.5, 0, 1);
  }

  @Test
  void gatedUnits() {
    Tensor gate = floats(Shape.of(2), 2, -1);
    Tensor up = floats(Shape.of(2), 10, 10);
    assertGives(builder.glu(Operation.Glu.Kind.SWIGLU, gate, up), 17.615942, -2.6894142);
    assertGives(builder.glu(Operation.Glu.Kind.REGLU, gate, up), 20, 0);
    Operation limited = new Operation.Glu(Operation.Glu.Kind.SWIGLU_LIMITED, 1, 1);
    assertGives(builder.add(limited, gate, up), 2 * 0.73105858, 2 * -0.26894142);
  }

  @Test
  void aNormedRowHasMeanSquareOne() {
    Tensor x = floats(Shape.of(2, 2), 3, 4, 0, 0);
    assertGives(builder.rmsNorm(x, 1e-12f), 3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5), 0, 0);
    assertGives(builder.rmsNorm(x, 12.5f), 0.6, 0.8, 0, 0);
  }

  @Test
  void softMaxOfEquals() {
    assertGives(
        builder.softMax(floats(Shape.of(2, 2), 1000, 1000, 0, (float) Math.log(3))),
        0.5,
        0.5,
        0.25,
        0.75);
  }

  @Test
  void sumsOverAnyAxis() {
    Tensor x = floats(Shape.of(2, 2), 1, 2, 10, 20);
    assertGives(builder.sum(x, 0), 3, 30);
    assertGives(builder.sum(x, 1), 11, 22);
  }

  @Test
  void theLargestComeFirstAndOfEqualsTheLowerIndex() {
    Tensor x = floats(Shape.of(4, 2), 1, 5, 5, 7, 1, 2, 3, 4);
    Tensor queries = indices(Shape.of(2, 2), 0, 1, 0, 0);
    Tensor top = builder.topK(x, 3, queries);
    assertThat(Reference.indices(top, bytes(top))).containsExactly(3, 1, 2, -1, -1, -1);
  }

  @Test
  void rotationTurnsNeighboursOrHalves() {
    float quarter = (float) (Math.PI / 2);
    Tensor x = floats(Shape.of(4, 1, 1), 1, 2, 3, 4);
    Tensor one = indices(Shape.of(1), 1);
    Tensor factors = floats(Shape.of(2), 1 / quarter, 1e30f);
    assertGives(builder.add(rope(Operation.Rope.Mode.NORM), x, one, factors), -2, 1, 3, 4);
    assertGives(builder.add(rope(Operation.Rope.Mode.NEOX), x, one, factors), -3, 2, 1, 4);
  }

  private static Operation.Rope rope(Operation.Rope.Mode mode) {
    return new Operation.Rope(mode, 4, 10_000, 1, 0, 1, 32, 1, 4096);
  }

  @Test
  void attentionAveragesWhatIsVisible() {
    // Equal keys, so that every visible value counts the same.
    Tensor q = floats(Shape.of(1, 2, 3), 1, 1, 1, 1, 1, 1);
    Tensor k = floats(Shape.of(1, 1, 4), 1, 1, 1, 1);
    Tensor v = floats(Shape.of(1, 1, 4), 1, 3, 50, 700);
    Tensor queries = indices(Shape.of(2, 3), 1, 1, 1, 2, 9, 0);
    Tensor cells = indices(Shape.of(2, 4), 0, 3, 1, 1, 1, 2, 1, 3);
    Tensor live = indices(Shape.of(1), 3);
    Tensor result = builder.add(new Operation.Attention(1, 0, 0), q, k, v, queries, cells, live);
    assertGives(result, 2, 2, 25.5, 25.5, 0, 0);
    Tensor windowed = builder.add(new Operation.Attention(1, 0, 1), q, k, v, queries, cells, live);
    assertGives(windowed, 3, 3, 50, 50, 0, 0);
    Tensor sinks = floats(Shape.of(2), 1, Float.NEGATIVE_INFINITY);
    Tensor sunk =
        builder.add(new Operation.Attention(1, 0, 1), q, k, v, queries, cells, live, sinks);
    assertGives(sunk, 1.5, 3, 25, 50, 0, 0);
  }

  @Test
  void copiesRoundToNearestEven() {
    Tensor x = floats(Shape.of(3), 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1p-11f);
    assertGives(builder.copy(x, DataType.BF16), 1, 1 + 4 * 0x1p-8, 1);
    assertGives(builder.copy(x, DataType.F16), 1 + 0x1p-8, 1 + 3 * 0x1p-8, 1);
  }

  @Test
  void everyOperationHasALabelThatCanBeDeclared() {
    List<String> labels = Declaration.OPERATIONS;
    var cases = OperationCases.single();
    assertThat(cases).extracting(c -> c.label()).allMatch(labels::contains);
    assertThat(labels).allMatch(label -> cases.stream().anyMatch(c -> c.label().equals(label)));
  }
}
