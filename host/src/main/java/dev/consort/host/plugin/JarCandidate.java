// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** A JAR file that should hold one plugin. */
final class JarCandidate implements PluginCandidate {
  /** The manifest attribute by which a plugin says which SPI it was compiled against. */
  static final String SPI_ATTRIBUTE = "Consort-Spi-Version";

  private final Path jar;
  private final ClassLoader shared;

  JarCandidate(Path jar, ClassLoader shared) {
    this.jar = jar;
    this.shared = shared;
  }

  @Override
  public String label() {
    return jar.getFileName().toString();
  }

  @Override
  public String origin() {
    return jar.toString();
  }

  @Override
  public OpenPlugin open() {
    checkSpi(readManifest());
    Supplier<Path> natives = new NativeDirectory(this::fingerprint);
    PluginClassLoader loader = newLoader(natives);
    try {
      return new OpenPlugin(onlyProvider(loader), natives, () -> close(loader));
    } catch (Throwable e) {
      close(loader);
      throw e;
    }
  }

  private Optional<Manifest> readManifest() {
    if (!Files.isRegularFile(jar)) {
      throw unreadable("it is no regular file", null);
    }
    try (JarFile file = new JarFile(jar.toFile())) {
      return Optional.ofNullable(file.getManifest());
    } catch (IOException | RuntimeException e) {
      throw unreadable(e.toString(), e);
    }
  }

  private ConsortException unreadable(
      String found, @org.jspecify.annotations.Nullable Throwable cause) {
    var error =
        ConsortException.of(
            ErrorCode.PLUGIN_FAILED,
            "not a readable JAR file: %s; replace the file or remove it".formatted(found));
    return cause == null ? error.build() : error.cause(cause).build();
  }

  private static void checkSpi(Optional<Manifest> manifest) {
    Optional<String> text =
        manifest.map(found -> found.getMainAttributes().getValue(SPI_ATTRIBUTE));
    text.map(JarCandidate::parseSpi).ifPresent(JarCandidate::checkSpi);
  }

  /** Refuses a version that the host can't run, naming both. */
  static void checkSpi(SpiVersion plugin) {
    if (!SpiVersion.CURRENT.accepts(plugin)) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "made for SPI %s, but this host has SPI %s; install a plugin for this host, or a newer host"
              .formatted(plugin, SpiVersion.CURRENT));
    }
  }

  private static SpiVersion parseSpi(String text) {
    String[] parts = text.strip().split("\\.");
    try {
      return new SpiVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "the manifest's %s is \"%s\", which is no version such as %s"
              .formatted(SPI_ATTRIBUTE, text, SpiVersion.CURRENT),
          e);
    }
  }

  private PluginClassLoader newLoader(Supplier<Path> natives) {
    try {
      return new PluginClassLoader(jar, jar.toUri().toURL(), shared, natives);
    } catch (IOException e) {
      throw unreadable(e.toString(), e);
    }
  }

  private static BackendProvider onlyProvider(ClassLoader loader) {
    List<ServiceLoader.Provider<BackendProvider>> found =
        ServiceLoader.load(BackendProvider.class, loader).stream().toList();
    if (found.size() != 1) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "holds %s; a plugin names exactly one in META-INF/services/%s"
              .formatted(
                  found.isEmpty() ? "no provider" : found.size() + " providers",
                  BackendProvider.class.getName()));
    }
    return found.getFirst().get();
  }

  private String fingerprint() {
    try {
      return Fingerprint.ofFile(jar);
    } catch (IOException e) {
      throw unreadable(e.toString(), e);
    }
  }

  private static void close(PluginClassLoader loader) {
    try {
      loader.close();
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, "can't close " + loader.getName() + ": " + e, e);
    }
  }
}
