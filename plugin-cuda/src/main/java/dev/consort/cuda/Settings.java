// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.PluginContext;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What users may set, in the host's settings for the plugin or as a system property {@code
 * consort.cuda.KEY}: {@code collective-timeout} in seconds; {@code comm}, which is {@code peer} or
 * {@code host}: whether sums over GPUs go over their own links; {@code reduce}, which is {@code
 * measured} or {@link Ways} as text: which way they go there.
 */
record Settings(Duration collectiveTimeout, Sums sums, Optional<Ways> ways) {
  private static final String MEASURED = "measured";

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
      Sums sums = Sums.valueOf(comm.toUpperCase(Locale.ROOT));
      return new Settings(timeout, sums, ways(text(context, "reduce", MEASURED)));
    } catch (IllegalArgumentException e) {
      throw wrong("comm", comm, "peer or host", e);
    }
  }

  private static Optional<Ways> ways(String text) {
    try {
      return text.equals(MEASURED) ? Optional.empty() : Optional.of(Ways.parse(text));
    } catch (IllegalArgumentException e) {
      String names = Stream.of(Way.values()).map(Way::label).collect(Collectors.joining(", "));
      throw wrong(
          "reduce",
          text,
          "'measured', or ways of %s with growing sizes: one-shot-packets:262144,two-shot-flags"
              .formatted(names),
          e);
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
