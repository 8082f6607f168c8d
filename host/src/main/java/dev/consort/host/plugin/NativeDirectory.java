// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A plugin's directory for natives, hashed and made when it is first asked for. The first
 * generation of a JAR in a process has the one that is named by its hash and kept for the next
 * start. A second generation of the same JAR gets a directory of its own, since a JVM loads a
 * library of one path for one class loader only; that one is deleted with it.
 */
final class NativeDirectory implements Supplier<Path>, AutoCloseable {
  private static final int DIGITS = 32;
  private static final Set<String> TAKEN = ConcurrentHashMap.newKeySet();

  private final Supplier<String> fingerprint;
  private @Nullable Path directory;
  private boolean isKept;

  NativeDirectory(Supplier<String> fingerprint) {
    this.fingerprint = fingerprint;
  }

  @Override
  public synchronized Path get() {
    if (directory == null) {
      String hash = fingerprint.get().substring(0, DIGITS);
      isKept = TAKEN.add(hash);
      directory = isKept ? UserDirectories.privateDirectory("natives/" + hash) : own(hash);
    }
    return directory;
  }

  private static Path own(String hash) {
    try {
      return Files.createDirectory(SessionDirectory.unused("natives-" + hash));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    if (directory != null && !isKept) {
      SessionDirectory.delete(directory);
    }
  }
}
