// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import static dev.consort.host.matrix.cell.CellState.CRASHED;
import static dev.consort.host.matrix.cell.CellState.FAILED;
import static dev.consort.host.matrix.cell.CellState.PASSED;
import static dev.consort.host.matrix.cell.CellState.UNSUPPORTED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.matrix.cell.Section;
import java.util.List;
import org.junit.jupiter.api.Test;

class MatrixChangesTest {
  private static final Section OPS = Section.OPS;

  private static List<String> changes(Sample before, Sample after) {
    return MatrixChanges.between(before.matrix(), after.matrix()).changes().stream()
        .map(change -> change.kind().words() + ": " + change.name())
        .toList();
  }

  @Test
  void theWorstComesFirst() {
    Sample before =
        new Sample().group(OPS, "a", "w", PASSED, "x", FAILED, "y", PASSED, "z", UNSUPPORTED);
    Sample after =
        new Sample()
            .group(OPS, "a", "x", PASSED, "y", PASSED, "z", CRASHED, "n", PASSED, "m", FAILED);
    assertThat(changes(before, after))
        .containsExactly(
            "worse: ops z on a",
            "gone: ops w on a",
            "new problem: ops m on a",
            "better: ops x on a",
            "new: ops n on a");
    assertThat(MatrixChanges.between(before.matrix(), after.matrix()).worse()).hasSize(3);
  }

  @Test
  void nothingChangedIsNothing() {
    Sample sample = new Sample().group(OPS, "a", "x", FAILED);
    assertThat(changes(sample, sample)).isEmpty();
  }

  @Test
  void aDeviceThatIsGoneIsMissedWhereAllWereAskedFor() {
    Sample before = new Sample().group(OPS, "a", "x", PASSED).group(OPS, "b", "x", PASSED);
    assertThat(changes(before, new Sample().group(OPS, "a", "x", PASSED)))
        .containsExactly("gone: ops x on b");
    assertThat(changes(before, new Sample().group(OPS, "a", "x", PASSED).named())).isEmpty();
  }

  @Test
  void aPartThatWasNotAskedForIsNotMissed() {
    Sample before = new Sample().group(OPS, "a", "x", PASSED).group(Section.CAPS, "a", "o", PASSED);
    assertThat(changes(before, new Sample().group(Section.CAPS, "a", "o", PASSED))).isEmpty();
  }
}
