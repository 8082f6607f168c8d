// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.Device;
import java.util.List;
import java.util.Optional;

/**
 * What became of one generation of a plugin.
 *
 * @param name the provider's name, or the file's where no provider could be asked
 * @param version the plugin's own version, or an empty string
 * @param generation 1 for what was there first, one more with each replacement of the file
 * @param state where it stands
 * @param reason why it is not active; empty if it is, or on its way
 * @param way by which it came in
 * @param origin the JAR file it came from, or {@code class path}
 * @param spiVersion the SPI it says it was made for, or an empty string
 * @param sha256 of the copy that is loaded, 64 hexadecimal digits; empty for the class path and
 *     where nothing could be read
 * @param devices in the order of their index; none when it is retired
 * @param unload whether it left the memory
 * @param cause what was thrown, if something was
 */
public record PluginStatus(
    String name,
    String version,
    int generation,
    PluginState state,
    String reason,
    PluginWay way,
    String origin,
    String spiVersion,
    String sha256,
    List<Device> devices,
    Unload unload,
    Optional<Throwable> cause) {

  public PluginStatus {
    devices = List.copyOf(devices);
  }

  static PluginStatus found(PluginCandidate candidate, int generation) {
    return new PluginStatus(
        candidate.label(),
        "",
        generation,
        PluginState.FOUND,
        "",
        candidate.way(),
        candidate.origin(),
        "",
        "",
        List.of(),
        Unload.NOT_DUE,
        Optional.empty());
  }

  PluginStatus verified(String spi, String hash) {
    return new PluginStatus(
        name,
        version,
        generation,
        PluginState.VERIFIED,
        reason,
        way,
        origin,
        spi,
        hash,
        devices,
        unload,
        cause);
  }

  PluginStatus named(PluginState next, String id, String itsVersion, List<Device> its) {
    return new PluginStatus(
        id,
        itsVersion,
        generation,
        next,
        reason,
        way,
        origin,
        spiVersion,
        sha256,
        its,
        unload,
        cause);
  }

  PluginStatus ended(PluginState next, String why, Optional<Throwable> thrown) {
    return new PluginStatus(
        name,
        version,
        generation,
        next,
        why,
        way,
        origin,
        spiVersion,
        sha256,
        List.of(),
        unload,
        thrown);
  }

  PluginStatus unloaded(Unload how) {
    return new PluginStatus(
        name,
        version,
        generation,
        state,
        reason,
        way,
        origin,
        spiVersion,
        sha256,
        devices,
        how,
        cause);
  }
}
