// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.spi.PluginContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** What the kit gives a plugin: settings, and one directory for the life of the process. */
record KitContext(Map<String, String> settings) implements PluginContext {
  private static final class Natives {
    static final Path DIRECTORY = make();

    private static Path make() {
      try {
        return Files.createTempDirectory("consort-tck");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
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
