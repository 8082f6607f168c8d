// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.wiring.FrameworkWiring;

/** An OSGi framework of this process's own, with nothing in it but plugins. */
final class OsgiFramework implements AutoCloseable {
  private static final long STOP_MILLIS = 10_000;

  private static final List<String> API =
      List.of("dev.consort.api", "dev.consort.api.quant", "dev.consort.spi");

  private static final String OTHERS =
      "org.slf4j;version=\"2.0\",org.slf4j.event;version=\"2.0\",org.slf4j.helpers;version=\"2.0\","
          + "org.slf4j.spi;version=\"2.0\",org.jspecify.annotations;version=\"1.0\"";

  private final Framework framework;
  private final Path storage;

  private OsgiFramework(Framework framework, Path storage) {
    this.framework = framework;
    this.storage = storage;
  }

  static OsgiFramework start() {
    Path storage = SessionDirectory.unused("osgi");
    Map<String, String> settings = new HashMap<>();
    settings.put(Constants.FRAMEWORK_STORAGE, storage.toString());
    settings.put(Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
    settings.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, shared());
    // As in a plugins folder: all of the JDK, whether or not a bundle imports it.
    settings.put(
        Constants.FRAMEWORK_BOOTDELEGATION, "javax.*,jdk.*,sun.*,com.sun.*,org.w3c.*,org.xml.*");
    // A replacement runs beside the generation before it, which may have the same version.
    settings.put(Constants.FRAMEWORK_BSNVERSION, Constants.FRAMEWORK_BSNVERSION_MULTIPLE);
    settings.put("felix.log.level", "0");
    Framework framework =
        ServiceLoader.load(FrameworkFactory.class, OsgiFramework.class.getClassLoader())
            .findFirst()
            .orElseThrow(
                () ->
                    new ConsortException(
                        ErrorCode.UNSUPPORTED,
                        "no OSGi framework is on the class path; add org.apache.felix.framework"))
            .newFramework(settings);
    try {
      framework.start();
    } catch (BundleException e) {
      throw new ConsortException(
          ErrorCode.INTERNAL, "the OSGi framework does not start: " + e.getMessage(), e);
    }
    return new OsgiFramework(framework, storage);
  }

  private static String shared() {
    return API.stream()
        .map(name -> "%s;version=\"%s\"".formatted(name, SpiVersion.CURRENT))
        .collect(Collectors.joining(",", "", "," + OTHERS));
  }

  /** Installs a JAR file that says how it wants to be seen by OSGi. */
  Bundle install(Path jar) {
    try (InputStream in = Files.newInputStream(jar)) {
      Bundle bundle = framework.getBundleContext().installBundle(jar.toUri().toString(), in);
      String name = bundle.getSymbolicName();
      if (name == null || name.isBlank()) {
        uninstall(bundle);
        throw new ConsortException(
            ErrorCode.PLUGIN_FAILED,
            "it is no OSGi bundle: its manifest has no %s; put it into a folder given with --plugins, or add the headers"
                .formatted(Constants.BUNDLE_SYMBOLICNAME));
      }
      return bundle;
    } catch (BundleException e) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED, "it is no OSGi bundle: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a bundle, and its class loader with it. */
  void uninstall(Bundle bundle) {
    try {
      bundle.uninstall();
      framework.adapt(FrameworkWiring.class).refreshBundles(List.of(bundle));
    } catch (BundleException e) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED, "its bundle can't be uninstalled: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      framework.stop();
      framework.waitForStop(STOP_MILLIS);
    } catch (BundleException e) {
      throw new ConsortException(
          ErrorCode.INTERNAL, "the OSGi framework does not stop: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      SessionDirectory.delete(storage);
    }
  }
}
