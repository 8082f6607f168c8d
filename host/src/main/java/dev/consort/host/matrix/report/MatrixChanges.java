// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.Section;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is other in a matrix than in an earlier one. A cell is worse if its state comes later in
 * {@link dev.consort.host.matrix.cell.CellState}. Cells of columns, sections and depths that were
 * not asked for this time are not missed.
 */
public record MatrixChanges(List<Change> changes) {
  /** What became of a cell. */
  public enum Kind {
    WORSE,
    /** It was there, and should be. */
    GONE,
    NEW_PROBLEM,
    BETTER,
    NEW;

    /** Whether someone should look at it. */
    public boolean isWorse() {
      return this == WORSE || this == GONE || this == NEW_PROBLEM;
    }

    /** For people. */
    public String words() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }
  }

  /** One cell, as it was and as it is. */
  public record Change(Kind kind, Optional<Cell> before, Optional<Cell> after) {
    /** What the cell is called. */
    public String name() {
      Cell cell = after.or(() -> before).orElseThrow();
      return "%s %s on %s".formatted(cell.section().label(), cell.row(), cell.target());
    }

    /** In one line. */
    @Override
    public String toString() {
      String was = before.map(cell -> cell.state().words()).orElse("nothing");
      String is = after.map(cell -> cell.state().words()).orElse("nothing");
      String why =
          after.filter(cell -> kind.isWorse()).map(cell -> ": " + cell.detail()).orElse("");
      return "%s: %s, was %s, is %s%s".formatted(kind.words(), name(), was, is, why);
    }
  }

  public MatrixChanges {
    changes = List.copyOf(changes);
  }

  private record Key(Section section, String row, String target) {
    static Key of(Cell cell) {
      return new Key(cell.section(), cell.row(), cell.target());
    }
  }

  /** Compares; the worst first. */
  public static MatrixChanges between(Matrix before, Matrix after) {
    Map<Key, Cell> old = new HashMap<>();
    before.cells().forEach(cell -> old.put(Key.of(cell), cell));
    List<Change> changes = new ArrayList<>();
    Set<Key> found = new HashSet<>();
    for (Cell cell : after.cells()) {
      found.add(Key.of(cell));
      Optional<Cell> was = Optional.ofNullable(old.get(Key.of(cell)));
      kind(was, cell).ifPresent(kind -> changes.add(new Change(kind, was, Optional.of(cell))));
    }
    for (Cell cell : before.cells()) {
      if (!found.contains(Key.of(cell)) && isMissed(cell, before, after)) {
        changes.add(new Change(Kind.GONE, Optional.of(cell), Optional.empty()));
      }
    }
    changes.sort(java.util.Comparator.comparing(Change::kind));
    return new MatrixChanges(changes);
  }

  private static Optional<Kind> kind(Optional<Cell> was, Cell is) {
    if (was.isEmpty()) {
      return Optional.of(is.state().isRed() ? Kind.NEW_PROBLEM : Kind.NEW);
    }
    int change = is.state().compareTo(was.get().state());
    return change == 0 ? Optional.empty() : Optional.of(change > 0 ? Kind.WORSE : Kind.BETTER);
  }

  private static boolean isMissed(Cell cell, Matrix before, Matrix after) {
    boolean everyColumn = after.coverage() == Matrix.Coverage.STANDARD;
    boolean column =
        after.targets().stream().anyMatch(target -> target.name().equals(cell.target()));
    // Other depths, and models, have other rows.
    return after.sections().contains(cell.section())
        && before.depth() == after.depth()
        && cell.section() != Section.MODELS
        && !cell.row().equals("closes")
        && (column || everyColumn);
  }

  /** Those that got worse. */
  public List<Change> worse() {
    return changes.stream().filter(change -> change.kind().isWorse()).toList();
  }
}
