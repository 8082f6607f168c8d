// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;

/** Where the host keeps files that it can make again: natives, the demo model. */
public final class UserDirectories {
  private UserDirectories() {}

  /**
   * The user's cache directory for this program: {@code CONSORT_CACHE}, else the platform's custom
   * ({@code XDG_CACHE_HOME/consort} on Linux). It need not exist.
   */
  public static Path cache() {
    String own = System.getenv("CONSORT_CACHE");
    if (own != null && !own.isEmpty()) {
      return Path.of(own).toAbsolutePath();
    }
    Path home = Path.of(System.getProperty("user.home", "."));
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (os.startsWith("mac")) {
      return home.resolve("Library/Caches/consort");
    }
    String base = System.getenv(os.startsWith("windows") ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
    return (base == null || base.isEmpty() ? home.resolve(".cache") : Path.of(base))
        .resolve("consort");
  }

  /**
   * A directory below the cache that only its owner may write, made where it is missing. Where the
   * cache can't be written, or can be by others, a temporary directory takes its place.
   *
   * @throws ConsortException IO if neither can be made
   */
  public static Path privateDirectory(String name) {
    try {
      Path directory = Files.createDirectories(cache().resolve(name), ownerOnly());
      return isOwn(directory) ? directory : Files.createTempDirectory("consort-", ownerOnly());
    } catch (IOException | SecurityException first) {
      try {
        return Files.createTempDirectory("consort-", ownerOnly());
      } catch (IOException second) {
        throw new ConsortException(
            ErrorCode.IO,
            "neither %s nor a temporary directory can be written: %s; set CONSORT_CACHE to a folder that can"
                .formatted(cache().resolve(name), second),
            second);
      }
    }
  }

  /** Compares with a new file's owner, which is this process's user. */
  private static boolean isOwn(Path directory) throws IOException {
    if (!Files.isWritable(directory)) {
      return false;
    }
    Path probe = Files.createTempFile(directory, "probe", "");
    try {
      return Trust.isOwn(directory, Files.getOwner(probe));
    } finally {
      Files.delete(probe);
    }
  }

  private static FileAttribute<?>[] ownerOnly() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
        }
        : new FileAttribute<?>[0];
  }
}
