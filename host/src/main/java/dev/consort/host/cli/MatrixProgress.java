// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.matrix.Group;
import dev.consort.host.matrix.MatrixListener;
import dev.consort.host.matrix.MatrixPlugin;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import dev.consort.host.matrix.report.MatrixText;
import java.util.List;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** How a matrix gets on: a bar on a terminal, a line a group in a pipe. */
final class MatrixProgress implements MatrixListener, AutoCloseable {
  private final Console console;
  private Optional<ProgressBar> bar = Optional.empty();
  private int red;
  private int groups;
  private int done;

  MatrixProgress(Console console) {
    this.console = console;
  }

  @Override
  public void probed(List<MatrixPlugin> plugins) {
    for (MatrixPlugin plugin : plugins) {
      if (plugin.state().equals("FAILED") || plugin.state().equals(MatrixPlugin.CRASHED)) {
        console.say(
            "plugin %s %s: %s (%s)",
            plugin.name(),
            plugin.state().equals("FAILED") ? "failed" : "crashed",
            plugin.reason(),
            plugin.origin());
      }
    }
  }

  @Override
  public void planned(List<Target> targets, List<Section> sections) {
    groups = targets.size() * sections.size();
    if (console.progress() == Console.Progress.BARS) {
      bar =
          Optional.of(
              new ProgressBarBuilder()
                  .setTaskName("matrix")
                  .setInitialMax(0)
                  .setStyle(ProgressBarStyle.ASCII)
                  .setUpdateIntervalMillis(200)
                  .clearDisplayOnFinish()
                  .hideEta()
                  .build());
    }
  }

  @Override
  public void rows(int count) {
    bar.ifPresent(shown -> shown.maxHint(shown.getMax() + count));
  }

  @Override
  public void cell(Cell cell) {
    red += cell.state().isRed() ? 1 : 0;
    bar.ifPresent(
        shown -> {
          shown.step();
          shown.setExtraMessage(
              "%d red, group %d of %d: %s %s"
                  .formatted(red, done + 1, groups, cell.target(), cell.section().label()));
        });
  }

  @Override
  public void group(Group group) {
    done++;
    if (bar.isPresent()) {
      return;
    }
    console.say(
        "[%d/%d] %s %s: %s%s",
        done,
        groups,
        group.target(),
        group.section().label(),
        MatrixText.summary(group.cells()),
        group.source() == Group.Source.KEPT
            ? " (kept)"
            : String.format(java.util.Locale.ROOT, " in %.1f s", group.time().toMillis() / 1e3));
    for (Cell cell : group.cells()) {
      if (cell.state() == CellState.CRASHED || cell.state() == CellState.FAILED) {
        console.say("  %s: %s: %s", cell.row(), cell.state().words(), cell.detail());
      }
    }
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
