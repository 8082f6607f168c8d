// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Stable;

/**
 * The version of {@code api} and {@code spi}. A host runs plugins of the same major version and of
 * a minor version up to its own. A plugin's JAR names the version that it was made for in its
 * manifest, {@code Consort-Spi-Version: 1.0}, so that the host can refuse it before it loads a
 * class of it.
 */
@Stable(since = "1.0")
public record SpiVersion(int major, int minor) {
  /** The version that this library is. */
  public static final SpiVersion CURRENT = new SpiVersion(1, 0);

  public boolean accepts(SpiVersion plugin) {
    return plugin.major == major && plugin.minor <= minor;
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
