// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.jspecify.annotations.Nullable;

/**
 * Loads one plugin's classes from its JAR, and its native libraries from a directory that no other
 * plugin, version or process with another JAR uses: libraries that are bound to a fixed path could
 * otherwise be loaded by one class loader only.
 */
final class PluginClassLoader extends URLClassLoader {
  static {
    registerAsParallelCapable();
  }

  private final Path jar;
  private final Supplier<Path> nativeDirectory;

  PluginClassLoader(
      String label, Path jar, URL url, ClassLoader parent, Supplier<Path> nativeDirectory) {
    super("consort-plugin-" + label, new URL[] {url}, parent);
    this.jar = jar;
    this.nativeDirectory = nativeDirectory;
  }

  @Override
  public @Nullable URL findResource(String name) {
    URL found = super.findResource(name);
    return found == null ? null : uncached(found);
  }

  @Override
  public Enumeration<URL> findResources(String name) throws IOException {
    List<URL> found = new ArrayList<>();
    for (URL url : Collections.list(super.findResources(name))) {
      found.add(uncached(url));
    }
    return Collections.enumeration(found);
  }

  /** The same place, whose JAR does not stay open in the JDK's cache when the plugin is gone. */
  private static URL uncached(URL url) {
    try {
      return URL.of(url.toURI(), new Uncached());
    } catch (URISyntaxException | MalformedURLException e) {
      return url;
    }
  }

  private static final class Uncached extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      URLConnection connection = URI.create(url.toExternalForm()).toURL().openConnection();
      connection.setUseCaches(false);
      return connection;
    }
  }

  @Override
  protected @Nullable String findLibrary(String name) {
    String file = System.mapLibraryName(name);
    try (JarFile content = new JarFile(jar.toFile())) {
      Optional<JarEntry> entry = bestEntry(content, file);
      return entry.isEmpty() ? null : extract(content, entry.get(), file).toString();
    } catch (IOException e) {
      throw (UnsatisfiedLinkError)
          new UnsatisfiedLinkError("can't unpack " + file + " of " + jar + ": " + e).initCause(e);
    }
  }

  private static Optional<JarEntry> bestEntry(JarFile content, String file) {
    List<String> machine = List.of(osName(), archName());
    return content.stream()
        .filter(e -> e.getName().equals(file) || e.getName().endsWith("/" + file))
        .max(
            Comparator.comparingLong(
                e -> List.of(e.getName().split("/")).stream().filter(machine::contains).count()));
  }

  private Path extract(JarFile content, JarEntry entry, String file) throws IOException {
    Path target = nativeDirectory.get().resolve(file);
    if (Files.exists(target) && Files.size(target) == entry.getSize()) {
      return target;
    }
    Path partial = Files.createTempFile(target.getParent(), file, ".part");
    try (InputStream in = content.getInputStream(entry)) {
      Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
      return Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static String osName() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macos" : "linux";
  }

  /** The architecture as natives in JARs are commonly filed: {@code x64}, {@code arm64}. */
  private static String archName() {
    String arch = System.getProperty("os.arch");
    return switch (arch) {
      case "amd64", "x86_64" -> "x64";
      case "aarch64" -> "arm64";
      default -> arch;
    };
  }
}
