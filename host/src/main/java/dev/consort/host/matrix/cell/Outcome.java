// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;

/**
 * How a row ended.
 *
 * @param detail see {@link Cell#detail}
 */
record Outcome(CellState state, String detail, After after) {
  /** Whether what comes after may go on in this JVM. */
  enum After {
    GO_ON,
    /** A device failed, and may be poisoned. */
    FRESH_JVM
  }

  static Outcome passed(String detail) {
    return new Outcome(CellState.PASSED, detail, After.GO_ON);
  }

  static Outcome unsupported(String reason) {
    return new Outcome(CellState.UNSUPPORTED, reason, After.GO_ON);
  }

  static Outcome failed(String error) {
    return new Outcome(CellState.FAILED, error, After.GO_ON);
  }

  /** What something thrown means. */
  static Outcome of(Throwable thrown) {
    if (thrown instanceof ConsortException e) {
      return e.code() == ErrorCode.UNSUPPORTED
          ? unsupported(String.valueOf(e.getMessage()))
          : new Outcome(CellState.FAILED, e.code() + ": " + e.getMessage(), After.FRESH_JVM);
    }
    return thrown instanceof AssertionError
        ? failed(String.valueOf(thrown.getMessage()))
        : new Outcome(CellState.FAILED, thrown.toString(), After.FRESH_JVM);
  }
}
