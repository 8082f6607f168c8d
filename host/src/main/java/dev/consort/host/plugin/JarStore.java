// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes the private copies that plugins are loaded from. A copy is hashed while it is written. One
 * is kept, in a directory that only its owner can write, for as long as the file that it was made
 * of is the same by size, times and inode: hashing is most of what a start would cost. What nobody
 * used for a month is deleted.
 */
final class JarStore {
  private static final Duration KEPT = Duration.ofDays(30);

  /** Changes within the resolution of a file system's clock can't be told apart. */
  private static final Duration UNSURE = Duration.ofSeconds(2);

  private static final int NAME_DIGITS = 32;

  /** What is known of the file that a copy was made of. */
  private record Reference(String state, String sha256) {}

  private JarStore() {}

  /** Who runs this process, as the file system sees it. */
  static UserPrincipal owner() throws IOException {
    return Files.getOwner(Holder.DIRECTORY);
  }

  /**
   * Puts a copy of a file as it is now to a place in the same file system, and returns its SHA-256.
   * The place is a link to the copy that is kept, so it stays when that is deleted.
   */
  static String place(Path jar, Path to) throws IOException {
    Path real = jar.toRealPath();
    String name = Fingerprint.ofText(real.toString()).substring(0, NAME_DIGITS);
    Path file = Holder.DIRECTORY.resolve(name + ".ref");
    Optional<Reference> known = read(file);
    Optional<String> state = state(real);
    if (known.isPresent()
        && state.equals(Optional.of(known.get().state()))
        && link(file(known.get().sha256()), to)) {
      touch(file);
      touch(to);
      return known.get().sha256();
    }
    String sha256 = Fingerprint.ofCopy(real, to);
    if (state.isPresent() && state.equals(state(real))) {
      keep(to, sha256);
      write(file, new Reference(state.get(), sha256));
      known.filter(old -> !old.sha256().equals(sha256)).ifPresent(old -> drop(old.sha256()));
    }
    return sha256;
  }

  private static boolean link(Path kept, Path to) throws IOException {
    try {
      Files.createLink(to, kept);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.copy(kept, to);
      return true;
    }
  }

  private static void keep(Path copy, String sha256) throws IOException {
    Path part = Files.createTempDirectory(Holder.DIRECTORY, "part").resolve("jar");
    try {
      link(copy, part);
      Files.move(
          part, file(sha256), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
      Files.deleteIfExists(part.getParent());
    }
  }

  /** Size, times and inode; empty where they do not tell of every change, or not yet. */
  private static Optional<String> state(Path jar) throws IOException {
    try {
      FileTime changed = (FileTime) Files.getAttribute(jar, "unix:ctime");
      if (changed.toInstant().isAfter(Instant.now().minus(UNSURE))) {
        return Optional.empty();
      }
      return Optional.of(
          "%s %s %s %s"
              .formatted(
                  Files.size(jar),
                  Files.getLastModifiedTime(jar).toInstant(),
                  changed.toInstant(),
                  Files.getAttribute(jar, "unix:ino", LinkOption.NOFOLLOW_LINKS)));
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Path file(String sha256) {
    return Holder.DIRECTORY.resolve(sha256 + ".jar");
  }

  private static Optional<Reference> read(Path file) {
    try {
      List<String> lines = Files.readAllLines(file);
      return lines.size() == 2 && lines.get(1).matches("[0-9a-f]{64}")
          ? Optional.of(new Reference(lines.get(0), lines.get(1)))
          : Optional.empty();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  private static void write(Path file, Reference reference) throws IOException {
    Path part = Files.createTempFile(Holder.DIRECTORY, "ref", ".part");
    Files.write(part, List.of(reference.state(), reference.sha256()));
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Deletes a copy that no file has any more; who runs from it has a link to it. */
  private static void drop(String sha256) {
    try (Stream<Path> all = Files.list(Holder.DIRECTORY)) {
      boolean isUsed =
          all.filter(file -> file.toString().endsWith(".ref"))
              .anyMatch(file -> read(file).filter(r -> r.sha256().equals(sha256)).isPresent());
      if (!isUsed) {
        Files.deleteIfExists(file(sha256));
      }
    } catch (IOException | UncheckedIOException e) {
      // It goes after a month.
    }
  }

  private static void touch(Path file) throws IOException {
    Instant now = Instant.now();
    if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(Duration.ofDays(1)))) {
      Files.setLastModifiedTime(file, FileTime.from(now));
    }
  }

  private static final class Holder {
    static final Path DIRECTORY = UserDirectories.privateDirectory("jars");

    static {
      deleteOld();
    }

    private static void deleteOld() {
      Instant limit = Instant.now().minus(KEPT);
      try (Stream<Path> all = Files.list(DIRECTORY)) {
        for (Path file : all.toList()) {
          if (Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
            Files.deleteIfExists(file);
          }
        }
      } catch (IOException | UncheckedIOException e) {
        // They cost nothing but room; a later start tries again.
      }
    }
  }
}
