// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Gives each JAR a class loader of its own. */
final class IsolatedLoader implements JarLoader {
  private final ClassLoader shared = new SharedApiLoader(IsolatedLoader.class.getClassLoader());

  @Override
  public PluginWay way() {
    return PluginWay.FOLDER;
  }

  @Override
  public OpenPlugin load(String label, Path copy, NativeDirectory natives) {
    PluginClassLoader loader = open(label, copy, natives);
    try {
      return new OpenPlugin(Providers.only(loader), natives, () -> close(loader));
    } catch (Throwable e) {
      close(loader);
      throw e;
    }
  }

  private PluginClassLoader open(String label, Path copy, NativeDirectory natives) {
    try {
      return new PluginClassLoader(label, copy, copy.toUri().toURL(), shared, natives);
    } catch (IOException e) {
      throw JarCheck.unreadable(e.toString(), e);
    }
  }

  private static void close(PluginClassLoader loader) {
    try {
      loader.close();
    } catch (IOException e) {
      throw new UncheckedIOException("can't close " + loader.getName(), e);
    }
  }
}
