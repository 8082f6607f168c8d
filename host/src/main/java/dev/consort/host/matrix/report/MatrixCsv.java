// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.cell.Cell;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A matrix as CSV (RFC 4180), a line a cell, in the columns of docs/matrix.md. */
public final class MatrixCsv {
  private static final double MILLI = 1e6;

  private MatrixCsv() {}

  /** The text, with a header. */
  public static String write(Matrix matrix) {
    StringBuilder text = new StringBuilder("section,row,target,state,ms,detail\n");
    for (Cell cell : matrix.cells()) {
      List<String> values =
          List.of(
              cell.section().label(),
              cell.row(),
              cell.target(),
              cell.state().label(),
              String.format(Locale.ROOT, "%.3f", cell.time().toNanos() / MILLI),
              cell.detail());
      text.append(values.stream().map(MatrixCsv::quoted).collect(Collectors.joining(",")))
          .append('\n');
    }
    return text.toString();
  }

  private static String quoted(String value) {
    return value.matches("[^\",\r\n]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
  }
}
