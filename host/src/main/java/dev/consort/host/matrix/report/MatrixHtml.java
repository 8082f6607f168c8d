// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.host.matrix.Matrix;
import java.util.Optional;

public final class MatrixHtml {
  private MatrixHtml() {}

  public static String write(Matrix matrix, Optional<MatrixChanges> changes) {
    return "";
  }
}
