// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Stable;

/**
 * A plugin's one entry, named in {@code META-INF/services/dev.consort.spi.BackendProvider}. It has
 * a public constructor without parameters, which does no work.
 */
@Stable(since = "1.0")
public interface BackendProvider {
  /** The plugin's name, {@code vulkan}: lower-case letters, digits and hyphens. */
  String name();

  /**
   * Finds the devices that are here. Called once, from one thread. Where there is no driver or no
   * device, returns a registration that {@linkplain Registration#unavailable says so}.
   */
  Registration register(PluginContext context);
}
