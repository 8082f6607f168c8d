// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The JAR files of one folder, each a plugin of its own. A folder that others can write is refused,
 * and so is a file in it. If there is a {@value PluginsLock#FILE}, only what it lists is loaded.
 */
public final class FolderSource implements PluginSource {
  private final Path folder;
  private final JarLoader loader;
  private final Function<Path, Admission> admissions;

  private FolderSource(Path folder, JarLoader loader, Function<Path, Admission> admissions) {
    this.folder = folder;
    this.loader = loader;
    this.admissions = admissions;
  }

  /** Plugins with a class loader each. */
  public FolderSource(Path folder) {
    this(folder, new IsolatedLoader(), PluginsLock::admissionOf);
  }

  /** Plugins that run as bundles of an OSGi framework, which is started with the first of them. */
  public static FolderSource ofBundles(Path folder) {
    return new FolderSource(folder, new BundleLoader(), PluginsLock::admissionOf);
  }

  /** The same, but whether or not the lock lists them: to write a new lock. */
  public FolderSource withoutLock() {
    return new FolderSource(folder, loader, any -> Admission.ofOwner());
  }

  @Override
  public List<PluginCandidate> find() {
    if (!Files.isDirectory(folder)) {
      throw new ConsortException(
          Files.exists(folder) ? ErrorCode.INVALID_ARGUMENT : ErrorCode.NOT_FOUND,
          "the plugins folder %s %s; name a folder that holds plugin JARs with --plugins"
              .formatted(folder, Files.exists(folder) ? "is a file" : "does not exist"));
    }
    Admission admission = admission();
    String lock =
        JarCandidate.revision(folder.resolve(PluginsLock.FILE))
            + Trust.objection(folder).orElse("");
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".jar"))
          .sorted()
          .<PluginCandidate>map(file -> new JarCandidate(file, lock, admission, loader))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new ConsortException(
          ErrorCode.IO, "the plugins folder %s can't be read: %s".formatted(folder, e), e);
    }
  }

  /** A folder that others could add to admits nothing; else its lock or its owner decides. */
  private Admission admission() {
    Optional<String> objection = Trust.objection(folder);
    return objection.isEmpty()
        ? admissions.apply(folder)
        : jar -> {
          throw new ConsortException(ErrorCode.PLUGIN_FAILED, objection.get());
        };
  }

  @Override
  public void close() {
    loader.close();
  }
}
