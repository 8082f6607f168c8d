// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.nio.file.Path;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Runs each JAR as a bundle of an OSGi framework, which is started with the first of them. The
 * provider is found by its service file, as everywhere, through the bundle's class loader.
 */
final class BundleLoader implements JarLoader {
  private Optional<OsgiFramework> framework = Optional.empty();

  @Override
  public PluginWay way() {
    return PluginWay.OSGI;
  }

  @Override
  public OpenPlugin load(String label, Path copy, NativeDirectory natives) {
    OsgiFramework running = framework();
    Bundle bundle = running.install(copy);
    try {
      bundle.start();
      ClassLoader loader = bundle.adapt(BundleWiring.class).getClassLoader();
      return new OpenPlugin(Providers.only(loader), natives, () -> running.uninstall(bundle));
    } catch (BundleException e) {
      running.uninstall(bundle);
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED, "it does not resolve as an OSGi bundle: " + e.getMessage(), e);
    } catch (Throwable e) {
      running.uninstall(bundle);
      throw e;
    }
  }

  private synchronized OsgiFramework framework() {
    if (framework.isEmpty()) {
      framework = Optional.of(OsgiFramework.start());
    }
    return framework.get();
  }

  @Override
  public synchronized void close() {
    framework.ifPresent(OsgiFramework::close);
    framework = Optional.empty();
  }
}
