// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.spi.BackendProvider;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.ServiceLoader.Provider;

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
        found.add(new Broken(e));
      }
    }
    return found;
  }

  private record Candidate(Provider<BackendProvider> entry) implements PluginCandidate {
    @Override
    public String label() {
      return entry.type().getSimpleName();
    }

    @Override
    public String origin() {
      return ORIGIN;
    }

    @Override
    public OpenPlugin open() {
      var natives = new NativeDirectory(this::fingerprint);
      return new OpenPlugin(entry.get(), natives, () -> {});
    }

    /** Of the JAR file; of the name and place alone where classes lie loose in a folder. */
    private String fingerprint() {
      String place = entry.type().getName();
      CodeSource source = entry.type().getProtectionDomain().getCodeSource();
      if (source != null && source.getLocation() != null) {
        place += " of " + source.getLocation();
        try {
          Path file = Path.of(source.getLocation().toURI());
          return Files.isRegularFile(file) ? Fingerprint.ofFile(file) : Fingerprint.ofText(place);
        } catch (URISyntaxException | IllegalArgumentException | IOException e) {
          return Fingerprint.ofText(place);
        }
      }
      return Fingerprint.ofText(place);
    }
  }

  private record Broken(Throwable error) implements PluginCandidate {
    @Override
    public String label() {
      return "?";
    }

    @Override
    public String origin() {
      return ORIGIN;
    }

    @Override
    public OpenPlugin open() {
      throw error instanceof LinkageError e ? e : (ServiceConfigurationError) error;
    }
  }
}
