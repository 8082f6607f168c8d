// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Which cells of the cache hold what: for each a position and the set of sequences that see it, as
 * the graph's input {@code cells} has them. The host's copy is the truth; a range remembers what
 * the devices have not seen yet.
 */
final class Cells implements AutoCloseable {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final int count;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment table;
  private int next;
  private int used;
  private int live;
  private int dirtyFrom;
  private int dirtyTo;

  Cells(int count) {
    this.count = count;
    try {
      this.table = arena.allocate(8L * count, 64);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
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
    return count - used;
  }

  /**
   * Takes the next free cell after the last, from the first hole on that was left.
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
    used += (sequences != 0 ? 1 : 0) - (sequences(cell) != 0 ? 1 : 0);
    if (sequences == 0) {
      next = Math.min(next, cell);
    }
    table.setAtIndex(INT, 2L * cell, position);
    table.setAtIndex(INT, 2L * cell + 1, sequences);
    dirtyFrom = Math.min(dirtyFrom, cell);
    dirtyTo = Math.max(dirtyTo, cell + 1);
  }

  @Override
  public void close() {
    arena.close();
  }
}
