// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Cells that are known to fail, a list that is meant to shrink: one that passes all the same fails.
 * In a file each is one line, {@code TARGET | SECTION ROW | REASON}; {@code *} stands for anything,
 * and a line that begins with {@code #} is none.
 */
public record ExpectedFailures(List<Entry> entries) {
  /** One line. */
  public record Entry(String target, String row, String reason) {
    boolean fits(Cell cell) {
      return fits(target, cell.target()) && fits(row, cell.section().label() + " " + cell.row());
    }

    private static boolean fits(String pattern, String text) {
      return Pattern.matches("\\Q" + pattern.replace("*", "\\E.*\\Q") + "\\E", text);
    }
  }

  public ExpectedFailures {
    entries = List.copyOf(entries);
  }

  public static ExpectedFailures none() {
    return new ExpectedFailures(List.of());
  }

  /**
   * The entries of a file.
   *
   * @throws ConsortException IO, NOT_FOUND; INVALID_FILE for a line that is no entry
   */
  public static ExpectedFailures read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw new ConsortException(
          Files.exists(file) ? ErrorCode.IO : ErrorCode.NOT_FOUND,
          "%s can't be read: %s".formatted(file, e),
          e);
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String[] parts = line.split("\\|", 3);
      if (parts.length < 3 || parts[2].isBlank()) {
        throw new ConsortException(
            ErrorCode.INVALID_FILE,
            "%s, line %d: \"%s\"; expected TARGET | SECTION ROW | REASON, as in vulkan:0 | ops copy f16 | rounds to zero"
                .formatted(file, i + 1, line));
      }
      entries.add(new Entry(parts[0].strip(), parts[1].strip(), parts[2].strip()));
    }
    return new ExpectedFailures(entries);
  }

  /** The cell as it counts. */
  Cell judge(Cell cell) {
    for (Entry entry : entries) {
      if (entry.fits(cell) && cell.state().isRed()) {
        return cell.ending(
            CellState.EXPECTED_FAILURE,
            "%s (%s: %s)".formatted(entry.reason(), cell.state().words(), cell.detail()));
      }
      if (entry.fits(cell) && cell.state() == CellState.PASSED) {
        return cell.ending(
            CellState.FAILED,
            "it passes, but is expected to fail because \"%s\"; remove the entry"
                .formatted(entry.reason()));
      }
    }
    return cell;
  }
}
