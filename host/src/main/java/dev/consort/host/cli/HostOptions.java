// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.Consort;
import dev.consort.host.ConsortOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of every command. */
final class HostOptions {
  @Option(
      names = "--plugins",
      paramLabel = "DIR",
      description = "Folder of plugin JARs (default: plugins beside the launcher).")
  private @Nullable Path plugins;

  @Option(
      names = "--set",
      paramLabel = "PLUGIN.KEY=VALUE",
      description = "A setting for a plugin; may be given several times.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Option(
      names = {"-v", "--verbose"},
      description = "Say more on stderr; errors come with their stack trace.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  boolean isVerbose() {
    return verbose;
  }

  Consort open() {
    if (plugins == null && settings.isEmpty()) {
      return EarlyStart.take().orElseGet(Consort::open);
    }
    ConsortOptions options =
        plugins == null ? ConsortOptions.defaults() : ConsortOptions.ofFolder(plugins);
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      options = options.withSetting(setting.getKey(), setting.getValue());
    }
    return Consort.open(options);
  }
}
