// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Depth;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.time.Instant;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A filled matrix.
 *
 * @param machine what it ran on
 * @param coverage whether it has all that is there, or what somebody named
 * @param targets the columns
 * @param groups in the order of the targets, of each its sections
 */
public record Matrix(
    Instant created,
    Machine machine,
    Depth depth,
    Coverage coverage,
    List<MatrixPlugin> plugins,
    List<Probe> devices,
    List<Target> targets,
    List<Group> groups) {

  /**
   * Where a matrix was made.
   *
   * @param host version of the host
   */
  public record Machine(String host, String java, String system, int processors) {
    static Machine here() {
      String version = Matrix.class.getPackage().getImplementationVersion();
      return new Machine(
          version == null ? "0.1.0" : version,
          System.getProperty("java.runtime.version"),
          "%s %s %s"
              .formatted(
                  System.getProperty("os.name"),
                  System.getProperty("os.version"),
                  System.getProperty("os.arch")),
          Runtime.getRuntime().availableProcessors());
    }
  }

  /** Which columns a matrix has. */
  public enum Coverage {
    STANDARD,
    NAMED
  }

  public Matrix {
    plugins = List.copyOf(plugins);
    devices = List.copyOf(devices);
    targets = List.copyOf(targets);
    groups = List.copyOf(groups);
  }

  /** All cells, in the order of the groups. */
  public List<Cell> cells() {
    return groups.stream().flatMap(group -> group.cells().stream()).toList();
  }

  /** The sections that have cells. */
  public List<Section> sections() {
    return groups.stream().map(Group::section).distinct().sorted().toList();
  }

  /** The rows of a section, each with its cells by the name of their target. */
  public Map<String, Map<String, Cell>> rows(Section section) {
    Map<String, Map<String, Cell>> rows = new LinkedHashMap<>();
    for (Cell cell : cells()) {
      if (cell.section() == section) {
        rows.computeIfAbsent(cell.row(), row -> new LinkedHashMap<>()).put(cell.target(), cell);
      }
    }
    return rows;
  }

  /** How many cells ended how. */
  public Map<CellState, Long> counts() {
    Map<CellState, Long> counts = new EnumMap<>(CellState.class);
    for (CellState state : CellState.values()) {
      counts.put(state, cells().stream().filter(cell -> cell.state() == state).count());
    }
    return counts;
  }

  /** Whether nothing failed or crashed, plugins included. */
  public boolean isGreen() {
    return cells().stream().noneMatch(cell -> cell.state().isRed())
        && plugins.stream().noneMatch(plugin -> plugin.state().equals(MatrixPlugin.CRASHED));
  }

  /** The cell of a row and a target. */
  public Optional<Cell> cell(Section section, String row, String target) {
    return Optional.ofNullable(rows(section).getOrDefault(row, Map.of()).get(target));
  }
}
