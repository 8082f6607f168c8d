// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.PluginContext;
import java.time.Duration;
import java.util.List;

/**
 * What users may set, in the host's settings for the plugin or as a system property {@code
 * consort.cpu.KEY}: {@code path} (portable, avx2, avx512), {@code threads} of a device, {@code
 * collective-timeout} in seconds, {@code numa} (on, off): whether each node is a device.
 */
record Settings(String path, int threads, Duration collectiveTimeout, Numa numa) {
  /** Whether each node of the machine is a device of its own. */
  enum Numa {
    ON,
    OFF
  }

  private static final List<String> PATHS = List.of("", "portable", "avx2", "avx512");

  Settings {
    if (!PATHS.contains(path)) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found path '%s' for the CPU plugin, expected portable, avx2 or avx512".formatted(path));
    }
    checkThreads(threads);
  }

  static void checkThreads(int threads) {
    if (threads < 1) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %d threads for the CPU plugin, expected at least 1".formatted(threads));
    }
  }

  static Settings of(PluginContext context) {
    String cores = Integer.toString(Runtime.getRuntime().availableProcessors());
    return new Settings(
        text(context, "path", ""),
        (int) number("threads", text(context, "threads", cores)),
        Duration.ofMillis(
            (long)
                (1000 * number("collective-timeout", text(context, "collective-timeout", "30")))),
        numa(text(context, "numa", "on")));
  }

  private static Numa numa(String text) {
    return switch (text) {
      case "on" -> Numa.ON;
      case "off" -> Numa.OFF;
      default ->
          throw new ConsortException(
              ErrorCode.INVALID_ARGUMENT,
              "found '%s' for the CPU plugin's numa, expected on or off".formatted(text));
    };
  }

  private static String text(PluginContext context, String key, String otherwise) {
    String property = System.getProperty("consort.cpu." + key);
    return property != null ? property : context.setting(key).orElse(otherwise);
  }

  private static double number(String key, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found '%s' for the CPU plugin's %s, expected a number".formatted(text, key),
          e);
    }
  }
}
