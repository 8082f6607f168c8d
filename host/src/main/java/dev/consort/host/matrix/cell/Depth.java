// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.Locale;

/** How much is tried for a cell. */
public enum Depth {
  /** A few cases a row: minutes for all devices and mixes of a machine. */
  QUICK,
  /** Every case of the kit. */
  FULL;

  /** For programs. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
