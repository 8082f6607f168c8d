// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.Device;
import java.util.List;
import java.util.Optional;

/**
 * What became of one plugin.
 *
 * @param name the provider's name, or the file's where no provider could be asked
 * @param version the plugin's own version, or an empty string
 * @param state where it stands
 * @param reason why it is not active; empty if it is
 * @param origin the JAR file it came from, or {@code class path}
 * @param devices in the order of their index
 * @param cause what was thrown, if something was
 */
public record PluginStatus(
    String name,
    String version,
    PluginState state,
    String reason,
    String origin,
    List<Device> devices,
    Optional<Throwable> cause) {

  public PluginStatus {
    devices = List.copyOf(devices);
  }

  static PluginStatus active(String name, String version, String origin, List<Device> devices) {
    return new PluginStatus(
        name, version, PluginState.ACTIVE, "", origin, devices, Optional.empty());
  }

  static PluginStatus unavailable(String name, String version, String reason, String origin) {
    return new PluginStatus(
        name, version, PluginState.UNAVAILABLE, reason, origin, List.of(), Optional.empty());
  }

  static PluginStatus failed(
      String name, String version, String reason, String origin, Optional<Throwable> cause) {
    return new PluginStatus(name, version, PluginState.FAILED, reason, origin, List.of(), cause);
  }
}
