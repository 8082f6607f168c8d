// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.Consort;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.PluginWatcher;
import dev.consort.host.plugin.Unload;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells of plugins as they come and go. */
@Command(
    name = "watch",
    description =
        "Start plugins as their files are added, replaced and removed, and tell each step, until"
            + " Ctrl-C.",
    sortOptions = false)
final class PluginsWatchCommand implements Callable<ExitCode> {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");
  private static final Duration INTERVAL = Duration.ofMillis(500);
  private static final int COLLECTIONS = 8;

  /** How a step is written. */
  enum Lines {
    TEXT,
    JSONL
  }

  private final Console console;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
      defaultValue = "TEXT")
  private Lines lines = Lines.TEXT;

  @Option(names = "--seconds", paramLabel = "N", description = "Stop after N seconds.")
  private long seconds = Long.MAX_VALUE;

  @Mixin private HostOptions host = new HostOptions();

  PluginsWatchCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() throws InterruptedException {
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Thread interrupted = new Thread(() -> stopAndWait(stop, closed), "consort-watch-stop");
    Runtime.getRuntime().addShutdownHook(interrupted);
    try (Consort consort = host.open(this::tell);
        PluginWatcher watcher = consort.watch(INTERVAL)) {
      console.say("watching; Ctrl-C ends it");
      watch(consort, stop);
    } finally {
      closed.countDown();
    }
    return ExitCode.OK;
  }

  /** Plugins are closed before the process ends, also when it is interrupted. */
  private static void stopAndWait(CountDownLatch stop, CountDownLatch closed) {
    stop.countDown();
    try {
      closed.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** While generations are leaving, asks the JVM now and then whether they have left. */
  private void watch(Consort consort, CountDownLatch stop) throws InterruptedException {
    int leaving = 0;
    int asked = 0;
    for (long second = 0; second < seconds && !stop.await(1, TimeUnit.SECONDS); second++) {
      int now = leaving(consort);
      asked = now == leaving ? asked : 0;
      leaving = now;
      if (leaving > 0 && asked < COLLECTIONS) {
        consort.collectPlugins();
        asked++;
        if (asked == COLLECTIONS && leaving(consort) > 0) {
          console.say("%d retired generations are still in memory", leaving(consort));
        }
      }
    }
  }

  private static int leaving(Consort consort) {
    return (int)
        consort.pluginHistory().stream()
            .filter(status -> status.unload() == Unload.PENDING)
            .count();
  }

  private synchronized void tell(PluginStatus plugin) {
    String time = LocalTime.now().format(TIME);
    boolean left = plugin.unload() == Unload.COLLECTED;
    String state = left ? "UNLOADED" : plugin.state().name();
    if (lines == Lines.JSONL) {
      Table table =
          new Table(
              "time", "plugin", "version", "generation", "state", "devices", "file", "detail");
      table.add(
          time,
          plugin.name(),
          plugin.version(),
          plugin.generation(),
          state,
          PluginsCommand.devices(plugin),
          plugin.origin(),
          detail(plugin));
      TableFormat.JSONL.write(table, console.out());
    } else {
      console
          .out()
          .printf(
              "%s  %-16s %3d  %-11s  %s%n",
              time, plugin.name(), plugin.generation(), state, detail(plugin));
      console.out().flush();
    }
  }

  private static String detail(PluginStatus plugin) {
    return switch (plugin.state()) {
      case FOUND -> plugin.origin();
      case VERIFIED ->
          plugin.sha256().isEmpty()
              ? plugin.way().label()
              : "SPI %s, SHA-256 %s".formatted(plugin.spiVersion(), plugin.sha256());
      case RESOLVED -> "provider " + plugin.name();
      case PROBED, ACTIVE -> "%s %s".formatted(plugin.version(), PluginsCommand.devices(plugin));
      case RETIRED ->
          plugin.reason() + (plugin.unload() == Unload.COLLECTED ? ", has left the memory" : "");
      case UNAVAILABLE, DRAINING, FAILED -> plugin.reason();
    };
  }
}
