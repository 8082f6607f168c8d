// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceConfigurationError;
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

  /**
   * What to tell people: the text of our own errors; of all others what was being done, the kind
   * and text, and where it was thrown.
   */
  static String reason(String doing, Throwable error) {
    Throwable shown =
        error instanceof ServiceConfigurationError && error.getCause() != null
            ? error.getCause()
            : error;
    return shown instanceof ConsortException || shown instanceof Refusal
        ? String.valueOf(shown.getMessage())
        : "%s failed with %s%s".formatted(doing, text(shown), where(shown));
  }

  /** A plugin's exception may itself throw when it is asked for its text. */
  private static String text(Throwable error) {
    try {
      return error.toString();
    } catch (Throwable e) {
      return error.getClass().getName();
    }
  }

  private static String where(Throwable error) {
    return Arrays.stream(error.getStackTrace())
        .filter(frame -> !frame.getClassName().startsWith("java."))
        .filter(frame -> !frame.getClassName().startsWith("jdk."))
        .filter(frame -> !frame.getClassName().startsWith("dev.consort.host."))
        .findFirst()
        .map(frame -> " (at " + frame.getClassName() + "." + frame.getMethodName() + ")")
        .orElse("");
  }

  /** What the host has against a plugin, in its own words. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }
}
