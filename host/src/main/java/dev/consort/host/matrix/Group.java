// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.Section;
import java.time.Duration;
import java.util.List;

/**
 * The cells of one target in one section, filled.
 *
 * @param time how long that took, forked JVMs included
 */
public record Group(
    Section section, String target, List<Cell> cells, Duration time, Source source) {
  /** Where a group's cells are from. */
  public enum Source {
    RUN,
    /** From an earlier run: plugins, drivers and host are the same since. */
    KEPT
  }

  public Group {
    cells = List.copyOf(cells);
  }
}
