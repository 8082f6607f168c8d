// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.PluginContext;
import java.time.Duration;

/**
 * What users may set, in the host's settings for the plugin or as a system property {@code
 * consort.cuda.KEY}: {@code collective-timeout} in seconds.
 */
record Settings(Duration collectiveTimeout) {
  static final Settings DEFAULT = new Settings(Duration.ofSeconds(30));

  static Settings of(PluginContext context) {
    String key = "collective-timeout";
    String property = System.getProperty("consort.cuda." + key);
    String text = property != null ? property : context.setting(key).orElse("");
    if (text.isEmpty()) {
      return DEFAULT;
    }
    try {
      return new Settings(Duration.ofMillis((long) (1000 * Double.parseDouble(text))));
    } catch (NumberFormatException e) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found '%s' for the CUDA plugin's %s, expected a number of seconds".formatted(text, key),
          e);
    }
  }
}
