// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.host.matrix.Group;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.MatrixPlugin;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Depth;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A matrix made by hand. */
final class Sample {
  static final String NASTY = "<script>\"a\", 'b' & c</script>\nsecond line\t|";

  private final List<Group> groups = new ArrayList<>();
  private Matrix.Coverage coverage = Matrix.Coverage.STANDARD;

  /** A group of one part and target: rows and states by turns. */
  Sample group(Section section, String target, Object... rowsAndStates) {
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < rowsAndStates.length; i += 2) {
      CellState state = (CellState) rowsAndStates[i + 1];
      cells.add(
          new Cell(
              section,
              (String) rowsAndStates[i],
              target,
              state,
              state == CellState.PASSED ? "3 cases" : "because " + NASTY,
              Duration.ofNanos(1_234_000)));
    }
    groups.add(new Group(section, target, cells, Duration.ofMillis(70), Group.Source.RUN));
    return this;
  }

  Sample named() {
    coverage = Matrix.Coverage.NAMED;
    return this;
  }

  Matrix matrix() {
    DeviceInfo info =
        new DeviceInfo("toy", 0, "A <toy>", DeviceKind.GPU, true, "driver 1.2", "toy");
    return new Matrix(
        Instant.parse("2026-11-26T10:00:00Z"),
        new Matrix.Machine("0.1.0", "25", "Linux 6 amd64", 2),
        Depth.QUICK,
        coverage,
        List.of(new MatrixPlugin("toy", "1.0", "ACTIVE", "", "/plugins/toy.jar", "abc")),
        List.of(new Probe(info, new DeviceMemory(1, 2), "/plugins/toy.jar")),
        groups.stream()
            .map(Group::target)
            .distinct()
            .map(name -> new Target(name, List.of("toy:0"), List.of(1.0)))
            .toList(),
        groups);
  }
}
