// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.Consort;
import dev.consort.host.ConsortOptions;
import dev.consort.host.plugin.PluginListener;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
      names = "--bundles",
      paramLabel = "DIR",
      description = "Folder of plugin JARs to run as OSGi bundles, besides the other plugins.")
  private @Nullable Path bundles;

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

  Map<String, String> settings() {
    return settings;
  }

  /** The plugins folder, if there is one. */
  Optional<Path> folder() {
    String standard = System.getProperty(ConsortOptions.PLUGINS_PROPERTY, "");
    return plugins != null
        ? Optional.of(plugins)
        : Optional.of(standard).filter(name -> !name.isEmpty()).map(Path::of);
  }

  Consort open() {
    if (plugins == null && bundles == null && settings.isEmpty()) {
      return EarlyStart.take().orElseGet(Consort::open);
    }
    return Consort.open(options());
  }

  /** Opens a host that tells of every step of every plugin. */
  Consort open(PluginListener listener) {
    return Consort.open(options(), listener);
  }

  private ConsortOptions options() {
    ConsortOptions options =
        plugins == null ? ConsortOptions.defaults() : ConsortOptions.ofFolder(plugins);
    if (bundles != null) {
      options = options.withBundles(bundles);
    }
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      options = options.withSetting(setting.getKey(), setting.getValue());
    }
    return options;
  }
}
