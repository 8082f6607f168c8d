// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import static dev.consort.tck.cases.OperationCase.DEFAULT_LIMIT;
import static dev.consort.tck.cases.OperationCase.EXACT;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Gathering, scattering and copying. */
final class RowCases {
  private static final List<DataType> FLOATS = List.of(DataType.F32, DataType.F16, DataType.BF16);

  private RowCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (DataType type : DataType.values()) {
      if (type == DataType.I32) {
        continue;
      }
      int columns = type.isQuantized() ? 2 * type.blockElements() : 67;
      cases.add(getRows(type, Shape.of(columns, 9), Shape.of(1), 7));
      cases.add(getRows(type, Shape.of(columns, 9), Shape.of(6), 3, -1, 8, 0, 3, -7));
      cases.add(getRows(type, Shape.of(columns, 5, 3), Shape.of(4, 3), 4, 0, 1, -1, 2, 2, 3));
      cases.add(getRows(type, Shape.of(columns, 9), Shape.of(0), 0));
    }
    cases.add(getRows(DataType.F32, Shape.of(1, 8, 3), Shape.of(2, 3), 5, 1, 7, 0, 3, 2));
    for (DataType type : FLOATS) {
      cases.add(setRows(type, Shape.of(64, 2, 12), 5, 3, 11, 0, 7, 4));
      cases.add(setRows(type, Shape.of(33, 3, 12), 4, 3, -1, 0, -1));
      cases.add(setRows(type, Shape.of(7, 9), 3, 8, 2, -1));
      cases.add(setRows(type, Shape.of(64, 2, 12), 1, 11));
      cases.add(setRows(type, Shape.of(64, 2, 12), 0, 0));
      cases.add(setRowsOfPart(type));
      for (DataType to : FLOATS) {
        cases.add(copy(type, to, Shape.of(1)));
        cases.add(copy(type, to, Shape.of(67, 3, 2)));
        cases.add(copy(type, to, Shape.of(0, 3)));
        cases.add(copyOfPermuted(type, to));
        cases.add(copyOfSlice(type, to));
      }
    }
    cases.add(rounding(DataType.F16, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 1 + 0x1.8p-11f, 65504));
    cases.add(rounding(DataType.BF16, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1.8p-8f, 3e38f));
    return cases;
  }

  private static OperationCase getRows(DataType type, Shape table, Shape ids, int... values) {
    CaseBuilder builder = new CaseBuilder().limit(FLOATS.contains(type) ? EXACT : DEFAULT_LIMIT);
    Tensor weight = builder.weight(type, table);
    return builder.check(builder.graph.getRows(weight, builder.indices(ids, values)), type);
  }

  private static OperationCase setRows(DataType type, Shape shape, int tokens, int... ids) {
    CaseBuilder builder = new CaseBuilder().limit(EXACT).note(tokens + " rows");
    Tensor state = builder.state(type, shape);
    Tensor rows = builder.input(shape.with(shape.lastAxis(), tokens));
    Tensor slots = builder.indices(Shape.of(tokens), ids);
    return builder.check(builder.graph.setRows(state, rows, slots), type);
  }

  /** The rows are part of a fused result. */
  private static OperationCase setRowsOfPart(DataType type) {
    CaseBuilder builder = new CaseBuilder().limit(EXACT).optional().note("rows of a fused result");
    Tensor state = builder.state(type, Shape.of(16, 2, 8));
    Tensor rows = builder.graph.slice(builder.input(Shape.of(16, 6, 3)), 1, 4, 2);
    return builder.check(
        builder.graph.setRows(state, rows, builder.indices(Shape.of(3), 6, 1, 0)), type);
  }

  private static OperationCase copy(DataType from, DataType to, Shape shape) {
    CaseBuilder builder = new CaseBuilder().limit(EXACT).note("to " + to.label());
    Tensor x = builder.input(from, shape, Fill.uniform());
    return builder.check(builder.graph.copy(x, to), from);
  }

  private static OperationCase copyOfPermuted(DataType from, DataType to) {
    CaseBuilder builder =
        new CaseBuilder().limit(EXACT).optional().note("permuted, to " + to.label());
    Tensor x = builder.input(from, Shape.of(6, 5, 4, 3), Fill.uniform());
    return builder.check(builder.graph.copy(builder.graph.permute(x, 2, 0, 3, 1), to), from);
  }

  private static OperationCase copyOfSlice(DataType from, DataType to) {
    CaseBuilder builder =
        new CaseBuilder().limit(EXACT).optional().note("sliced, to " + to.label());
    Tensor x = builder.input(from, Shape.of(40, 7, 3), Fill.uniform());
    Tensor slice = builder.graph.slice(builder.graph.slice(x, 0, 3, 30), 1, 2, 4);
    return builder.check(builder.graph.copy(slice, to), from);
  }

  private static OperationCase rounding(DataType to, float... values) {
    CaseBuilder builder = new CaseBuilder().limit(EXACT).note("ties to even, " + to.label());
    Tensor x = builder.input(DataType.F32, Shape.of(values.length), Fill.floats(values));
    return builder.check(builder.graph.copy(x, to));
  }
}
