// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.time.Duration;

/**
 * One device or mix at one row of a section.
 *
 * @param row unique in its section, as in {@code mat_mul q4_0}
 * @param target {@link Target#name}
 * @param detail what was measured where it passed, else the reason or error
 * @param time how long it took
 */
public record Cell(
    Section section, String row, String target, CellState state, String detail, Duration time) {

  /** This cell with another end. */
  public Cell ending(CellState other, String why) {
    return new Cell(section, row, target, other, why, time);
  }
}
