// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.spi.BackendProvider;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.ServiceLoader.Provider;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** The plugins that a program has on its own class path; they share its class loader. */
public final class ClassPathSource implements PluginSource {
  static final String ORIGIN = "class path";

  private final ClassLoader loader;

  public ClassPathSource(ClassLoader loader) {
    this.loader = loader;
  }

  @Override
  public List<PluginCandidate> find() {
    List<PluginCandidate> found = new ArrayList<>();
    Iterator<Provider<BackendProvider>> providers =
        ServiceLoader.load(BackendProvider.class, loader).stream().iterator();
    int errors = 0;
    // The iterator goes on after a broken entry, but a file that can't be read fails for ever.
    while (errors < 100) {
      try {
        if (!providers.hasNext()) {
          break;
        }
        found.add(new Candidate(providers.next()));
      } catch (ServiceConfigurationError | LinkageError e) {
        errors++;
        found.add(new Broken("entry " + (found.size() + 1), e));
      }
    }
    return found;
  }

  private record Candidate(Provider<BackendProvider> entry) implements PluginCandidate {
    @Override
    public String label() {
      return entry.type().getName();
    }

    @Override
    public String origin() {
      return ORIGIN;
    }

    @Override
    public PluginWay way() {
      return PluginWay.CLASS_PATH;
    }

    @Override
    public VerifiedPlugin verify() {
      Optional<SpiVersion> spi = spiVersion();
      spi.ifPresent(JarCheck::checkSpi);
      var natives = new NativeDirectory(this::fingerprint);
      return new VerifiedPlugin(
          spi.map(SpiVersion::toString).orElse(""),
          "",
          Optional.empty(),
          () -> new OpenPlugin(entry.get(), natives, () -> {}),
          natives::close);
    }

    /** What the JAR's manifest says; a folder of classes has none. */
    private Optional<SpiVersion> spiVersion() {
      return jar()
          .map(
              file -> {
                try (JarFile jar = new JarFile(file.toFile())) {
                  Manifest manifest = jar.getManifest();
                  return JarCheck.spiVersion(
                      manifest == null ? new Attributes() : manifest.getMainAttributes());
                } catch (IOException e) {
                  throw JarCheck.unreadable(e.toString(), e);
                }
              });
    }

    /** Of the JAR file; of the name and place alone where classes lie loose in a folder. */
    private String fingerprint() {
      try {
        Optional<Path> jar = jar();
        return jar.isPresent() ? Fingerprint.ofFile(jar.get()) : Fingerprint.ofText(place());
      } catch (IOException e) {
        return Fingerprint.ofText(place());
      }
    }

    private String place() {
      return label() + " of " + entry.type().getProtectionDomain().getCodeSource();
    }

    private Optional<Path> jar() {
      try {
        return Optional.ofNullable(entry.type().getProtectionDomain().getCodeSource())
            .flatMap(source -> Optional.ofNullable(source.getLocation()))
            .filter(location -> location.getProtocol().equals("file"))
            .map(location -> Path.of(URI.create(location.toString())))
            .filter(Files::isRegularFile);
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }

  private record Broken(String label, Throwable error) implements PluginCandidate {
    @Override
    public String origin() {
      return ORIGIN;
    }

    @Override
    public PluginWay way() {
      return PluginWay.CLASS_PATH;
    }

    @Override
    public VerifiedPlugin verify() {
      throw error instanceof LinkageError e ? e : (ServiceConfigurationError) error;
    }
  }
}
