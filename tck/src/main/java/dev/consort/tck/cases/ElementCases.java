// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Functions of single elements, and of rows. */
final class ElementCases {
  private static final List<Shape> SHAPES =
      List.of(
          Shape.of(1),
          Shape.of(7),
          Shape.of(64, 3),
          Shape.of(33, 5, 2),
          Shape.of(16, 1, 3, 2),
          Shape.of(1031),
          Shape.of(0, 4),
          Shape.of(4, 0));

  private ElementCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (Operation.Binary.Kind kind : Operation.Binary.Kind.values()) {
      addBinary(cases, kind);
    }
    for (Operation.Unary.Kind kind : Operation.Unary.Kind.values()) {
      addMap(cases, (builder, x) -> builder.graph.unary(kind, x));
    }
    for (Operation.Glu.Kind kind : Operation.Glu.Kind.values()) {
      addGlu(cases, kind);
    }
    addMap(cases, (builder, x) -> builder.graph.scale(x, -1.5f));
    addMap(cases, (builder, x) -> builder.graph.add(new Operation.Scale(0.5f, 2), x));
    addMap(cases, (builder, x) -> builder.graph.clamp(x, -0.25f, 1.5f));
    addMap(cases, (builder, x) -> builder.graph.rmsNorm(x, 1e-5f));
    addMap(cases, (builder, x) -> builder.graph.rmsNorm(x, 0.5f));
    addMap(cases, (builder, x) -> builder.graph.softMax(x));
    for (int axis = 0; axis < Shape.AXES; axis++) {
      int along = axis;
      addMap(cases, (builder, x) -> builder.graph.sum(x, along));
    }
    addTopK(cases);
    return cases;
  }

  private static void addMap(
      List<OperationCase> cases, BiFunction<CaseBuilder, Tensor, Tensor> operation) {
    for (Shape shape : SHAPES) {
      CaseBuilder builder = new CaseBuilder();
      Tensor x = builder.input(DataType.F32, shape, Fill.uniform(-4, 4));
      addNamed(cases, builder, operation.apply(builder, x));
    }
    CaseBuilder sliced = new CaseBuilder().optional();
    Tensor wide = sliced.input(DataType.F32, Shape.of(40, 5, 2), Fill.uniform(-4, 4));
    addNamed(cases, sliced, operation.apply(sliced, sliced.graph.slice(wide, 0, 8, 21)));
    CaseBuilder permuted = new CaseBuilder().optional();
    Tensor turned = permuted.input(DataType.F32, Shape.of(12, 5, 3), Fill.uniform(-4, 4));
    addNamed(
        cases, permuted, operation.apply(permuted, permuted.graph.permute(turned, 0, 2, 1, 3)));
  }

  private static void addNamed(List<OperationCase> cases, CaseBuilder builder, Tensor result) {
    String parameters = result.operation().toString();
    cases.add(builder.note(parameters).check(result));
  }

  private static void addBinary(List<OperationCase> cases, Operation.Binary.Kind kind) {
    for (Shape shape : SHAPES) {
      cases.add(binary(kind, shape, shape));
    }
    Shape a = Shape.of(24, 6, 4, 2);
    cases.add(binary(kind, a, Shape.of(24)));
    cases.add(binary(kind, a, Shape.of(1)));
    cases.add(binary(kind, a, Shape.of(24, 6)));
    cases.add(binary(kind, a, Shape.of(1, 6, 4, 2)));
    cases.add(binary(kind, a, Shape.of(24, 1, 4, 1)));
    cases.add(binary(kind, a, Shape.of(8, 3, 2, 1)));
    CaseBuilder builder = new CaseBuilder().optional();
    Tensor x = builder.graph.slice(builder.input(Shape.of(40, 6)), 0, 4, 24);
    Tensor y = builder.graph.permute(divisor(builder, Shape.of(6, 24)), 1, 0, 2, 3);
    cases.add(builder.check(builder.graph.add(new Operation.Binary(kind), x, y)));
  }

  private static OperationCase binary(Operation.Binary.Kind kind, Shape a, Shape b) {
    CaseBuilder builder = new CaseBuilder();
    Tensor x = builder.input(a);
    return builder.check(builder.graph.add(new Operation.Binary(kind), x, divisor(builder, b)));
  }

  private static Tensor divisor(CaseBuilder builder, Shape shape) {
    return builder.input(DataType.F32, shape, Fill.uniform(0.5, 1.5));
  }

  private static void addGlu(List<OperationCase> cases, Operation.Glu.Kind kind) {
    Operation.Glu glu = new Operation.Glu(kind, 1.702f, 3);
    for (Shape shape : SHAPES) {
      CaseBuilder builder = new CaseBuilder();
      Tensor gate = builder.input(DataType.F32, shape, Fill.uniform(-4, 4));
      Tensor up = builder.input(DataType.F32, shape, Fill.uniform(-4, 4));
      cases.add(builder.check(builder.graph.add(glu, gate, up)));
    }
    CaseBuilder halves = new CaseBuilder().optional().note("halves of one tensor");
    Tensor both = halves.input(DataType.F32, Shape.of(48, 5), Fill.uniform(-4, 4));
    Tensor gate = halves.graph.slice(both, 0, 0, 24);
    cases.add(halves.check(halves.graph.add(glu, gate, halves.graph.slice(both, 0, 24, 24))));
  }

  private static void addTopK(List<OperationCase> cases) {
    for (int k : new int[] {1, 4, 8}) {
      cases.add(topK(Shape.of(8, 5), k, Fill.uniform()));
      cases.add(topK(Shape.of(131, 3), k, Fill.uniform()));
      cases.add(topK(Shape.of(64, 4), k, Fill.levels(5)));
    }
    cases.add(topK(Shape.of(8, 0), 2, Fill.uniform()));
    CaseBuilder builder = new CaseBuilder().limit(OperationCase.EXACT).note("padding rows");
    Tensor x = builder.input(Shape.of(16, 4));
    Tensor queries = builder.indices(Shape.of(2, 4), 0, 1, 1, 0, 2, 2, 0, 0);
    cases.add(builder.check(builder.graph.topK(x, 3, queries)));
  }

  private static OperationCase topK(Shape shape, int k, Fill fill) {
    CaseBuilder builder = new CaseBuilder().limit(OperationCase.EXACT);
    builder.note("k " + k + (shape.ne0() == 64 ? ", ties" : ""));
    Tensor x = builder.input(DataType.F32, shape, fill);
    return builder.check(builder.graph.add(new Operation.TopK(k), x));
  }
}
