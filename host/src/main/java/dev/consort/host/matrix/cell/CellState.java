// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.Locale;

/** How a cell ended, the better first. */
public enum CellState {
  PASSED,
  /** It can't do it and says why; not a defect. */
  UNSUPPORTED,
  /** It failed, and is on the list of what is expected to. */
  EXPECTED_FAILURE,
  /** It was given up before its turn came. */
  NOT_RUN,
  /** It was wrong, threw, or did not end in time. */
  FAILED,
  /** The process died of it. */
  CRASHED;

  /** Whether someone should look at it. */
  public boolean isRed() {
    return this == FAILED || this == CRASHED;
  }

  /** For programs. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** For people. */
  public String words() {
    return label().replace('_', ' ');
  }
}
