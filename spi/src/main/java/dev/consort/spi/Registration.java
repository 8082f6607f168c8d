// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Device;
import dev.consort.api.Stable;
import java.util.List;

/**
 * What a provider gives the host.
 *
 * @param version the plugin's own version
 * @param devices in the order of their index; listing them has started none
 * @param unavailable why there are no devices; empty if there are some
 * @param close releases what the plugin holds, after everything made by its devices is closed
 */
@Stable(since = "1.0")
public record Registration(
    String version,
    SpiVersion spiVersion,
    List<Device> devices,
    String unavailable,
    Runnable close) {

  public Registration {
    devices = List.copyOf(devices);
  }

  /** A plugin with devices. */
  public static Registration of(String version, List<Device> devices, Runnable close) {
    return new Registration(version, SpiVersion.CURRENT, devices, "", close);
  }

  /** A plugin that found nothing to drive, which is no error. */
  public static Registration unavailable(String version, String reason) {
    return new Registration(version, SpiVersion.CURRENT, List.of(), reason, () -> {});
  }
}
