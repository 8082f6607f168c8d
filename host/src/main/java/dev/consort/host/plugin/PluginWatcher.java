// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the sources again and again and starts, replaces and retires plugins as files come and
 * go. It looks instead of listening, since not every file system tells of changes. A file counts as
 * complete when it was the same twice and its directory, which a ZIP file has at its end, can be
 * read; one that stays unreadable is started all the same, to fail with a reason.
 */
public final class PluginWatcher implements AutoCloseable {
  private static final int PATIENCE = 10;

  private record Seen(String revision, int times) {}

  private final Plugins plugins;
  private final Duration interval;
  private final Map<String, Seen> seen = new HashMap<>();
  private final CountDownLatch stop = new CountDownLatch(1);
  private final Thread thread;
  private String trouble = "";

  private PluginWatcher(Plugins plugins, Duration interval) {
    this.plugins = plugins;
    this.interval = interval;
    this.thread = Thread.ofPlatform().daemon().name("consort-plugin-watch").unstarted(this::run);
  }

  /** Watches until it is closed. */
  public static PluginWatcher start(Plugins plugins, Duration interval) {
    PluginWatcher watcher = new PluginWatcher(plugins, interval);
    watcher.thread.start();
    return watcher;
  }

  private void run() {
    try {
      while (!stop.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        look();
      }
    } catch (InterruptedException e) {
      log().warn("the plugins are no longer watched", e);
    }
  }

  private void look() {
    try {
      plugins.rescan(this::isReady);
      trouble = "";
    } catch (ConsortException e) {
      if (!trouble.equals(e.getMessage())) {
        trouble = String.valueOf(e.getMessage());
        log().warn("{}; the plugins stay as they are", trouble);
      }
    }
  }

  private boolean isReady(PluginCandidate candidate) {
    Seen now =
        seen.merge(
            candidate.origin(),
            new Seen(candidate.revision(), 1),
            (old, one) ->
                old.revision().equals(one.revision())
                    ? new Seen(old.revision(), old.times() + 1)
                    : one);
    return now.times() > 1 && (candidate.isWhole() || now.times() > PATIENCE);
  }

  private static Logger log() {
    return LoggerFactory.getLogger(PluginWatcher.class);
  }

  /** Stops watching; the plugins stay as they are. Waits for a start that is under way. */
  @Override
  public void close() {
    stop.countDown();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
