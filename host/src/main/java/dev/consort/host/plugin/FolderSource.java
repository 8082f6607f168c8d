// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The JAR files of one folder, each a plugin with a class loader of its own. */
public final class FolderSource implements PluginSource {
  private final Path folder;
  private final ClassLoader shared = new SharedApiLoader(FolderSource.class.getClassLoader());

  public FolderSource(Path folder) {
    this.folder = folder;
  }

  @Override
  public List<PluginCandidate> find() {
    if (!Files.isDirectory(folder)) {
      throw new ConsortException(
          Files.exists(folder) ? ErrorCode.INVALID_ARGUMENT : ErrorCode.NOT_FOUND,
          "the plugins folder %s %s; name a folder that holds plugin JARs with --plugins"
              .formatted(folder, Files.exists(folder) ? "is a file" : "does not exist"));
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".jar"))
          .sorted()
          .<PluginCandidate>map(file -> new JarCandidate(file, shared))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new ConsortException(
          ErrorCode.IO, "the plugins folder %s can't be read: %s".formatted(folder, e), e);
    }
  }
}
