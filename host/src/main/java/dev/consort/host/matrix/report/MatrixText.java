// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.MatrixPlugin;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A matrix for people at a terminal: a table a section, then what is behind its cells. */
public final class MatrixText {
  private static final Map<CellState, String> WORDS =
      Map.of(
          CellState.PASSED, "ok",
          CellState.UNSUPPORTED, "unsupp.",
          CellState.EXPECTED_FAILURE, "expected",
          CellState.NOT_RUN, "not run",
          CellState.FAILED, "FAILED",
          CellState.CRASHED, "CRASHED");
  private static final int WIDTH = 100;

  private MatrixText() {}

  /** Which cells' details are told. */
  public enum Details {
    /** Of what failed, crashed, was expected to or was not run. */
    PROBLEMS,
    /** Also why something is unsupported. */
    ALL
  }

  /** The text. */
  public static String write(Matrix matrix, Details details) {
    StringBuilder text = new StringBuilder();
    List<Target> targets = matrix.targets();
    for (int i = 0; i < targets.size(); i++) {
      text.append("%4s  %s\n".formatted("[" + (i + 1) + "]", describe(matrix, targets.get(i))));
    }
    for (Section section : matrix.sections()) {
      table(matrix, section, text);
      explain(matrix, section, details, text);
    }
    text.append('\n');
    for (MatrixPlugin plugin : matrix.plugins()) {
      if (plugin.state().equals(MatrixPlugin.CRASHED)) {
        text.append("plugin %s CRASHED: %s\n".formatted(plugin.name(), plugin.reason()));
      }
    }
    return text.append(summary(matrix)).append('\n').toString();
  }

  /** How many cells ended how, in one line. */
  public static String summary(Matrix matrix) {
    return summary(matrix.cells());
  }

  /** The same of some cells. */
  public static String summary(List<Cell> cells) {
    return Stream.of(CellState.values())
        .map(state -> Map.entry(state, cells.stream().filter(c -> c.state() == state).count()))
        .filter(count -> count.getValue() > 0 || count.getKey() == CellState.PASSED)
        .map(count -> count.getValue() + " " + count.getKey().words())
        .collect(Collectors.joining(", "));
  }

  /** The target with the names of its devices. */
  static String describe(Matrix matrix, Target target) {
    String names =
        matrix.devices().stream()
            .filter(device -> target.members().contains(device.info().id()))
            .map(device -> device.info().name())
            .collect(Collectors.joining(" + "));
    return target.name() + "  " + names;
  }

  private static void table(Matrix matrix, Section section, StringBuilder text) {
    Map<String, Map<String, Cell>> rows = matrix.rows(section);
    int wide = rows.keySet().stream().mapToInt(String::length).max().orElse(0);
    wide = Math.max(wide, section.title().length());
    text.append('\n').append(padded(section.title(), wide));
    for (int i = 0; i < matrix.targets().size(); i++) {
      text.append("  ").append(padded("[" + (i + 1) + "]", 8));
    }
    cutEnd(text).append('\n');
    for (Map.Entry<String, Map<String, Cell>> row : rows.entrySet()) {
      text.append(padded(row.getKey(), wide));
      for (Target target : matrix.targets()) {
        Cell cell = row.getValue().get(target.name());
        text.append("  ").append(padded(cell == null ? "" : WORDS.get(cell.state()), 8));
      }
      cutEnd(text).append('\n');
    }
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static StringBuilder cutEnd(StringBuilder text) {
    text.setLength(text.toString().stripTrailing().length());
    return text;
  }

  private static void explain(Matrix matrix, Section section, Details details, StringBuilder text) {
    Predicate<Cell> told =
        cell ->
            details == Details.ALL
                ? cell.state() != CellState.PASSED
                : cell.state().compareTo(CellState.UNSUPPORTED) > 0;
    Map<String, List<Cell>> byDetail =
        matrix.cells().stream()
            .filter(cell -> cell.section() == section)
            .filter(told)
            .collect(
                Collectors.groupingBy(
                    cell -> cell.state().words() + ": " + cell.detail(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    byDetail.forEach(
        (detail, cells) -> {
          text.append("  ").append(detail.replaceAll("\\R", " ")).append('\n');
          String where =
              cells.stream()
                  .map(cell -> cell.row() + " on " + cell.target())
                  .collect(Collectors.joining("; "));
          text.append("    ")
              .append(
                  cells.size() == 1 || where.length() < WIDTH
                      ? where
                      : "%s, and %d more"
                          .formatted(
                              cells.getFirst().row() + " on " + cells.getFirst().target(),
                              cells.size() - 1))
              .append('\n');
        });
  }
}
