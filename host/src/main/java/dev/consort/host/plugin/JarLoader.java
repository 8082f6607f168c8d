// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.nio.file.Path;

/** Makes classes of a JAR file that was checked. */
interface JarLoader extends AutoCloseable {
  PluginWay way();

  /**
   * Loads the one provider.
   *
   * @param label what people call the file
   * @param copy the private copy to load from
   */
  OpenPlugin load(String label, Path copy, NativeDirectory natives);

  @Override
  default void close() {}
}
