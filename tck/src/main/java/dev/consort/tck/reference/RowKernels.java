// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.List;

/** Gathering, scattering and copying rows. */
final class RowKernels {
  private RowKernels() {}

  static void getRows(List<Operand> sources, Operand result) {
    Operand table = sources.get(0);
    Operand ids = sources.get(1);
    for (long b = 0; b < ids.ne(1); b++) {
      for (long n = 0; n < ids.ne(0); n++) {
        int row = inRange(ids.index(n, b), table.ne(1), result);
        result.putRow(n, b, 0, row < 0 ? new float[(int) table.ne(0)] : table.row(row, b, 0));
      }
    }
  }

  static void setRows(List<Operand> sources, Operand state) {
    Operand rows = sources.get(1);
    Operand ids = sources.get(2);
    int axis = Math.max(1, state.tensor().shape().lastAxis());
    for (long i3 = 0; i3 < rows.ne(3); i3++) {
      for (long i2 = 0; i2 < rows.ne(2); i2++) {
        for (long i1 = 0; i1 < rows.ne(1); i1++) {
          long t = axis == 1 ? i1 : axis == 2 ? i2 : i3;
          int slot = inRange(ids.index(t, 0), state.ne(axis), state);
          if (slot >= 0) {
            state.putRow(
                axis == 1 ? slot : i1,
                axis == 2 ? slot : i2,
                axis == 3 ? slot : i3,
                rows.row(i1, i2, i3));
          }
        }
      }
    }
  }

  static void copy(List<Operand> sources, Operand result) {
    ElementKernels.map(sources, result, x -> x);
  }

  static int inRange(int index, long limit, Operand of) {
    if (index >= limit) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "found index %d, expected less than %d, computing %s"
                  .formatted(index, limit, of.tensor()))
          .operation(of.tensor().operation().label())
          .build();
    }
    return index;
  }
}
