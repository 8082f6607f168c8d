// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Message;
import dev.consort.host.matrix.cell.Request;
import dev.consort.host.matrix.cell.Section;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Fills one group: a JVM, and a fresh one for the rest whenever one dies or hangs in a cell. */
final class GroupRun {
  /** So many in a row without a cell that ended by itself, and the rest is given up. */
  private static final int DEATHS = 5;

  /** What plugins may take to start, and devices to open, beyond the limit of a cell. */
  private static final Duration OPENING = Duration.ofSeconds(60);

  private final ForkedJvm jvm;
  private final Request request;
  private final Request.Job job;
  private final Duration limit;
  private final MatrixListener listener;
  private final List<Cell> cells = new ArrayList<>();
  private List<String> rows = List.of();
  private boolean over;
  private int deaths;

  // Of the JVM that runs.
  private boolean running;
  private String at = "";
  private long since;

  GroupRun(MatrixOptions options, Request request, MatrixListener listener) {
    this.jvm = options.jvm();
    this.limit = options.limit();
    this.request = request;
    this.job = request.job().orElseThrow();
    this.listener = listener;
  }

  /** Blocks until every row has a cell. */
  List<Cell> run() {
    do {
      runOnce();
    } while (!over && cells.size() < rows.size());
    return cells;
  }

  private void runOnce() {
    boolean usesKit = job.section() == Section.OPS || job.section() == Section.MODELS;
    List<Path> more = usesKit ? jvm.kit() : List.of();
    running = false;
    at = "the start";
    since = System.nanoTime();
    try (Fork fork = Fork.start(jvm, request.with(job.from(cells.size())), more)) {
      while (true) {
        Duration most = running ? limit : limit.plus(OPENING);
        long left = most.toNanos() - (System.nanoTime() - since);
        switch (fork.next(Duration.ofNanos(Math.max(0, left)))) {
          case Fork.Heard.Said said -> {
            if (isLast(said.message())) {
              return;
            }
          }
          case Fork.Heard.Gone gone -> {
            died(CellState.CRASHED, fork.death());
            return;
          }
          case Fork.Heard.Nothing nothing -> {
            died(
                CellState.FAILED,
                "did not end within %d s; its JVM was stopped".formatted(most.toSeconds()));
            return;
          }
        }
      }
    }
  }

  /** Takes in a message; whether it is the JVM's last. */
  private boolean isLast(Message message) {
    switch (message.kind()) {
      case ROWS -> {
        if (rows.isEmpty()) {
          rows = message.texts();
          listener.rows(rows.size());
        }
      }
      case STARTED -> {
        running = true;
        at = "";
        since = System.nanoTime();
      }
      case AT -> at = message.texts().getFirst();
      case DONE -> {
        running = false;
        at = "the end";
        since = System.nanoTime();
        deaths = 0;
        add(
            CellState.valueOf(message.texts().get(1)),
            message.texts().get(2),
            Duration.ofNanos(message.number(3)));
      }
      case AGAIN -> {
        return true;
      }
      case ENDED -> {
        over = true;
        return true;
      }
      case GIVEN_UP -> {
        rest(CellState.valueOf(message.texts().get(0)), message.texts().get(1));
        return true;
      }
      case PLUGIN, DEVICE -> {
        // Only a probe says so.
      }
    }
    return false;
  }

  /** The JVM ended in the row that ran, or while it was opening or closing the devices. */
  private void died(CellState state, String how) {
    deaths++;
    Duration time = Duration.ofNanos(System.nanoTime() - since);
    if (running) {
      add(state, how + (at.isEmpty() ? "" : "; at " + at), time);
      if (deaths >= DEATHS) {
        skip("not run: %d JVMs in a row died in their first cell".formatted(DEATHS));
      }
    } else if (!rows.isEmpty() && cells.size() == rows.size()) {
      cells.add(cell("closes", state, how + "; while the devices were closed", time));
      listener.cell(cells.getLast());
      over = true;
    } else {
      rest(state, how + "; while the devices were opened");
    }
  }

  /** The next row ends so, and those behind it are not run. */
  private void rest(CellState state, String why) {
    if (rows.isEmpty()) {
      rows = List.of("opens");
      listener.rows(1);
    }
    add(state, why, Duration.ofNanos(System.nanoTime() - since));
    skip("not run: the devices could not be opened");
  }

  private void skip(String why) {
    while (cells.size() < rows.size()) {
      add(CellState.NOT_RUN, why, Duration.ZERO);
    }
    over = true;
  }

  private void add(CellState state, String detail, Duration time) {
    cells.add(cell(rows.get(cells.size()), state, detail, time));
    listener.cell(cells.getLast());
  }

  private Cell cell(String row, CellState state, String detail, Duration time) {
    return new Cell(job.section(), row, job.target().name(), state, detail, time);
  }
}
