// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import java.util.function.LongConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on stderr for a person, nothing in a pipe. Thread safe. */
interface Bar extends LongConsumer, AutoCloseable {
  /** Goes on by {@code steps}. */
  @Override
  void accept(long steps);

  @Override
  void close();

  /** A bar of {@code total} steps. */
  static Bar of(Console console, String task, long total) {
    return console.progress() == Console.Progress.NONE ? new Silent() : new Drawn(task, total);
  }

  /** No bar. */
  record Silent() implements Bar {
    @Override
    public void accept(long steps) {}

    @Override
    public void close() {}
  }

  /** A bar that is drawn. */
  final class Drawn implements Bar {
    private final ProgressBar bar;

    Drawn(String task, long total) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(200)
              .clearDisplayOnFinish()
              .build();
    }

    @Override
    public void accept(long steps) {
      bar.stepBy(steps);
    }

    @Override
    public void close() {
      bar.close();
    }
  }

  /** A bar that appears once the work has taken long enough for a person to wonder. */
  final class Lazy implements AutoCloseable {
    private static final long PATIENCE_NANOS = 500_000_000;

    private final Console console;
    private final String task;
    private final long start = System.nanoTime();
    private Bar bar = new Silent();
    private long last;

    Lazy(Console console, String task) {
      this.console = console;
      this.task = task;
    }

    /** Goes on to {@code done} steps of {@code total}. */
    synchronized void at(long done, long total) {
      if (bar instanceof Silent && System.nanoTime() - start > PATIENCE_NANOS) {
        bar = Bar.of(console, task, total);
      }
      if (bar instanceof Drawn) {
        bar.accept(done - last);
        last = done;
      }
    }

    @Override
    public synchronized void close() {
      bar.close();
    }
  }
}
