// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/** Runs what plugins gave to be closed, so that one that throws or hangs harms nobody. */
final class Containment {
  private Containment() {}

  /**
   * Runs all parts, one after another, on a thread of their own.
   *
   * @return what went wrong, or an empty string
   */
  static String close(String plugin, List<Runnable> parts, Duration limit) {
    if (parts.isEmpty()) {
      return "";
    }
    var errors = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("consort-close-" + plugin)
            .start(() -> parts.forEach(part -> run(part, errors)));
    try {
      if (!thread.join(limit)) {
        thread.interrupt();
        return "closing it took longer than %d s and was given up".formatted(limit.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "closing it was interrupted";
    }
    errors.forEach(e -> LoggerFactory.getLogger(Containment.class).warn("closing {}", plugin, e));
    return errors.isEmpty()
        ? ""
        : errors.stream()
            .map(Throwable::toString)
            .collect(Collectors.joining(", ", "closing it failed: ", ""));
  }

  private static void run(Runnable part, java.util.Queue<Throwable> errors) {
    try {
      part.run();
    } catch (Throwable e) {
      errors.add(e);
    }
  }

  /** What to tell people: the text of our own errors, the kind and text of all others. */
  static String reason(Throwable error) {
    Throwable shown =
        error instanceof java.util.ServiceConfigurationError && error.getCause() != null
            ? error.getCause()
            : error;
    return shown instanceof dev.consort.api.ConsortException
            || shown.getClass() == IllegalStateException.class
        ? String.valueOf(shown.getMessage())
        : shown.toString();
  }
}
