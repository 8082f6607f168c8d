// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.PluginContext;
import java.time.Duration;
import java.util.Locale;

/**
 * What users may set, in the host's settings for the plugin or as a system property {@code
 * consort.cuda.KEY}: {@code collective-timeout} in seconds; {@code comm}, which is {@code peer} or
 * {@code host}: whether sums over GPUs go over their own links.
 */
record Settings(Duration collectiveTimeout, Sums sums) {
  /** How sums over members travel. */
  enum Sums {
    PEER,
    HOST
  }

  static Settings of(PluginContext context) {
    String seconds = text(context, "collective-timeout", "30");
    String comm = text(context, "comm", "peer");
    Duration timeout;
    try {
      timeout = Duration.ofMillis((long) (1000 * Double.parseDouble(seconds)));
    } catch (NumberFormatException e) {
      throw wrong("collective-timeout", seconds, "a number of seconds", e);
    }
    try {
      return new Settings(timeout, Sums.valueOf(comm.toUpperCase(Locale.ROOT)));
    } catch (IllegalArgumentException e) {
      throw wrong("comm", comm, "peer or host", e);
    }
  }

  private static String text(PluginContext context, String key, String otherwise) {
    String property = System.getProperty("consort.cuda." + key);
    return property != null ? property : context.setting(key).orElse(otherwise);
  }

  private static ConsortException wrong(
      String key, String found, String expected, RuntimeException cause) {
    return new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "found '%s' for the CUDA plugin's %s, expected %s".formatted(found, key, expected),
        cause);
  }
}
