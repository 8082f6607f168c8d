// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.Device;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The plugins of a host, started side by side. A plugin that can't be used has a status like the
 * others and harms none of them. Of two plugins with one name the later one fails.
 */
public final class Plugins implements AutoCloseable {
  private final List<StartedPlugin> started;

  private Plugins(List<StartedPlugin> started) {
    this.started = started;
  }

  /**
   * Starts everything that the sources hold. Blocks until every plugin has answered or run out of
   * time.
   *
   * @param settings what users set for plugins, by {@code plugin.key}
   * @param limit how long one plugin may take
   * @throws dev.consort.api.ConsortException if a source itself can't be read
   */
  public static Plugins start(
      List<PluginSource> sources, Map<String, String> settings, Duration limit) {
    List<PluginCandidate> candidates =
        sources.stream().flatMap(source -> source.find().stream()).toList();
    List<PluginStarter> starting =
        candidates.stream()
            .map(candidate -> PluginStarter.start(candidate, settings, limit))
            .toList();
    List<StartedPlugin> plugins = new ArrayList<>();
    Map<String, String> origins = new HashMap<>();
    for (PluginStarter starter : starting) {
      StartedPlugin plugin = starter.await(limit);
      PluginStatus status = plugin.status();
      if (status.state() != PluginState.FAILED) {
        String other = origins.putIfAbsent(status.name(), status.origin());
        if (other != null) {
          plugin.close().run();
          plugin = new StartedPlugin(second(status, other), () -> {});
        }
      }
      plugins.add(plugin);
    }
    return new Plugins(List.copyOf(plugins));
  }

  private static PluginStatus second(PluginStatus status, String other) {
    return PluginStatus.failed(
        status.name(),
        status.version(),
        "a plugin named %s was already loaded from %s; remove one of the two"
            .formatted(status.name(), other),
        status.origin(),
        Optional.empty());
  }

  /** Every plugin that was found, in the order of the sources. */
  public List<PluginStatus> statuses() {
    return started.stream().map(StartedPlugin::status).toList();
  }

  /** The devices of all active plugins. */
  public List<Device> devices() {
    return statuses().stream().flatMap(status -> status.devices().stream()).toList();
  }

  /** Closes every plugin. What was made of its devices must be closed before. */
  @Override
  public void close() {
    started.reversed().forEach(plugin -> plugin.close().run());
  }
}
