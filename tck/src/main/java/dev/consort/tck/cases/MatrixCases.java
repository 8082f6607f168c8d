// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import static dev.consort.tck.cases.OperationCase.PRODUCT_LIMIT;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Matrix products of every weight type. */
final class MatrixCases {
  private static final int[] COLUMNS = {1, 2, 3, 4, 7, 8, 17, 33, 128};

  private MatrixCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (DataType type : DataType.values()) {
      if (type == DataType.I32) {
        continue;
      }
      int block = type.blockElements();
      for (int n : COLUMNS) {
        cases.add(matMul(type, Shape.of(256, 16), Shape.of(256, n)));
      }
      int odd = block == 1 ? 37 : 3 * block;
      cases.add(matMul(type, Shape.of(odd, 5), Shape.of(odd, 3)));
      cases.add(matMul(type, Shape.of(odd, 67), Shape.of(odd, 1)));
      cases.add(matMul(type, Shape.of(odd, 65), Shape.of(odd, 33)));
      cases.add(matMul(type, Shape.of(block, 1), Shape.of(block, 1)));
      cases.add(matMul(type, Shape.of(256, 7, 2), Shape.of(256, 3, 4)));
      cases.add(matMul(type, Shape.of(256, 7, 1, 2), Shape.of(256, 3, 2, 4)));
      cases.add(matMul(type, Shape.of(256, 16), Shape.of(256, 0)));
      cases.add(matMul(type, Shape.of(256, 0), Shape.of(256, 3)));
      cases.add(matMul(type, Shape.of(0, 16), Shape.of(0, 3)));
      cases.add(rowsOfWeight(type));
      cases.add(stridedActivations(type));
      addExperts(cases, type);
    }
    cases.add(permuted(DataType.F32));
    cases.add(permuted(DataType.F16));
    return cases;
  }

  private static OperationCase matMul(DataType type, Shape w, Shape x) {
    CaseBuilder builder = new CaseBuilder().limit(PRODUCT_LIMIT);
    Tensor weight = builder.weight(type, w);
    return builder.check(builder.graph.matMul(weight, builder.input(x)), type);
  }

  /** Some rows of a fused weight. */
  private static OperationCase rowsOfWeight(DataType type) {
    CaseBuilder builder = new CaseBuilder().limit(PRODUCT_LIMIT).optional().note("rows 5 to 15");
    Tensor rows = builder.graph.slice(builder.weight(type, Shape.of(256, 20)), 1, 5, 11);
    return builder.check(builder.graph.matMul(rows, builder.input(Shape.of(256, 4))), type);
  }

  /** Every other column's neighbour is skipped. */
  private static OperationCase stridedActivations(DataType type) {
    CaseBuilder builder = new CaseBuilder().limit(PRODUCT_LIMIT).optional().note("padded columns");
    Tensor weight = builder.weight(type, Shape.of(256, 9));
    Tensor x = builder.graph.slice(builder.input(Shape.of(320, 6)), 0, 32, 256);
    return builder.check(builder.graph.matMul(weight, x), type);
  }

  private static OperationCase permuted(DataType type) {
    CaseBuilder builder = new CaseBuilder().limit(PRODUCT_LIMIT).optional().note("both permuted");
    Tensor w = builder.graph.permute(builder.weight(type, Shape.of(19, 2, 64)), 1, 2, 0, 3);
    Tensor x = builder.graph.permute(builder.input(Shape.of(64, 2, 5)), 0, 2, 1, 3);
    return builder.check(builder.graph.matMul(w, x), type);
  }

  private static void addExperts(List<OperationCase> cases, DataType type) {
    cases.add(experts(type, 8, 1, 2, 1, "one token", 3, 5));
    cases.add(experts(type, 8, 1, 3, 7, "several tokens", 3, 0, 5, 7, 1, 2, 6));
    cases.add(experts(type, 4, 3, 3, 5, "own rows", 3, 0, 1, 2));
    cases.add(experts(type, 4, 1, 2, 33, "uneven load", 1, 2, 1, 1, 3, 1));
    cases.add(experts(type, 4, 1, 2, 5, "negative ids", 1, -1, 2, -1, -1, -1));
    cases.add(experts(type, 4, 1, 2, 0, "no tokens", 0));
  }

  private static OperationCase experts(
      DataType type, int experts, int rows, int used, int tokens, String note, int... ids) {
    CaseBuilder builder = new CaseBuilder().limit(PRODUCT_LIMIT).note(note);
    Tensor w = builder.weight(type, Shape.of(256, 11, experts));
    Tensor x = builder.input(Shape.of(256, rows, tokens));
    Tensor chosen = builder.indices(Shape.of(used, tokens), ids);
    return builder.check(builder.graph.matMulId(w, x, chosen), type);
  }
}
