// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Stable;
import java.nio.file.Path;
import java.util.Optional;

/** What the host gives a plugin. */
@Stable(since = "1.0")
public interface PluginContext {
  /**
   * A directory that no other plugin and no other version of this one uses, for native libraries.
   */
  Path nativeDirectory();

  /** A setting of the user's for this plugin. */
  Optional<String> setting(String key);
}
