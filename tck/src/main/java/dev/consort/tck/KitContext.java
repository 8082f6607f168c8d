// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.spi.PluginContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the kit gives a plugin: settings, and one directory for the life of the process. */
record KitContext(Map<String, String> settings) implements PluginContext {
  private static final class Natives {
    static final Path DIRECTORY = make();

    private static Path make() {
      try {
        Path made = Files.createTempDirectory("consort-tck");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(made)));
        return made;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // It lies in the system's folder for temporary files.
    }
  }

  KitContext {
    settings = Map.copyOf(settings);
  }

  @Override
  public Path nativeDirectory() {
    return Natives.DIRECTORY;
  }

  @Override
  public Optional<String> setting(String key) {
    return Optional.ofNullable(settings.get(key));
  }
}
