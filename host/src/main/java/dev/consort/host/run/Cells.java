// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Which cells of the cache hold what: for each a position and the set of sequences that see it, as
 * the graph's input {@code cells} has them. The host's copy is the truth; a range remembers what
 * the devices have not seen yet.
 */
final class Cells {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final int count;
  private final MemorySegment table;
  private int next;
  private int live;
  private int dirtyFrom;
  private int dirtyTo;

  /**
   * @param table 8 bytes a cell, zero
   */
  Cells(int count, MemorySegment table) {
    this.count = count;
    this.table = table;
    this.dirtyTo = count;
  }

  int count() {
    return count;
  }

  /** How many cells, from the first, hold anything. */
  int live() {
    return live;
  }

  int free() {
    int free = 0;
    for (int i = 0; i < count; i++) {
      free += sequences(i) == 0 ? 1 : 0;
    }
    return free;
  }

  /**
   * Takes a free cell.
   *
   * @throws ConsortException OUT_OF_MEMORY if there is none
   */
  int take(int position, int sequences) {
    for (int tried = 0; tried < count; tried++) {
      int cell = next;
      next = next + 1 == count ? 0 : next + 1;
      if (sequences(cell) == 0) {
        put(cell, position, sequences);
        live = Math.max(live, cell + 1);
        return cell;
      }
    }
    throw new ConsortException(
        ErrorCode.OUT_OF_MEMORY,
        "the context is full: all %d cells are in use; start with a larger context (-c)"
            .formatted(count));
  }

  /** Frees cells that were just taken. */
  void giveBack(int[] cells, int count) {
    for (int i = 0; i < count; i++) {
      put(cells[i], 0, 0);
    }
    while (live > 0 && sequences(live - 1) == 0) {
      live--;
    }
    next = Math.min(next, live);
  }

  /** Takes a sequence out of the cells at position {@code from} and after; empty ones are free. */
  void remove(int sequence, int from) {
    int bit = 1 << sequence;
    int highest = 0;
    for (int cell = 0; cell < live; cell++) {
      int sequences = sequences(cell);
      if ((sequences & bit) != 0 && position(cell) >= from) {
        put(cell, position(cell), sequences & ~bit);
      }
      if (sequences(cell) != 0) {
        highest = cell + 1;
      }
    }
    live = highest;
    next = Math.min(next, live);
    next = next == count ? 0 : next;
  }

  /** Lets another sequence see what a sequence has before position {@code to}. */
  void share(int sequence, int other, int to) {
    for (int cell = 0; cell < live; cell++) {
      int sequences = sequences(cell);
      if ((sequences & 1 << sequence) != 0 && position(cell) < to) {
        put(cell, position(cell), sequences | 1 << other);
      }
    }
  }

  int position(int cell) {
    return table.getAtIndex(INT, 2L * cell);
  }

  int sequences(int cell) {
    return table.getAtIndex(INT, 2L * cell + 1);
  }

  MemorySegment table() {
    return table;
  }

  int dirtyFrom() {
    return dirtyFrom;
  }

  int dirtyTo() {
    return dirtyTo;
  }

  void clean() {
    dirtyFrom = count;
    dirtyTo = 0;
  }

  private void put(int cell, int position, int sequences) {
    table.setAtIndex(INT, 2L * cell, position);
    table.setAtIndex(INT, 2L * cell + 1, sequences);
    dirtyFrom = Math.min(dirtyFrom, cell);
    dirtyTo = Math.max(dirtyTo, cell + 1);
  }
}
