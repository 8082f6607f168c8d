// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.Set;

/**
 * Whether somebody else could change what is loaded. Looks at POSIX permissions; where a file
 * system has none, everything passes.
 */
final class Trust {
  private Trust() {}

  /**
   * Refuses a file or folder that others can write, or can put another in the place of.
   *
   * @throws ConsortException PLUGIN_FAILED with who could and what to do
   */
  static void check(Path path) {
    objection(path)
        .ifPresent(
            why -> {
              throw new ConsortException(ErrorCode.PLUGIN_FAILED, why);
            });
  }

  /** Why a file or folder is not to be trusted. */
  static Optional<String> objection(Path path) {
    try {
      Path real = path.toRealPath();
      if (!Files.getFileStore(real).supportsFileAttributeView("posix")) {
        return Optional.empty();
      }
      Optional<String> own = ownership(real);
      own = own.isEmpty() ? permissions(real) : own;
      // Whoever may write a folder may put another file in the place of one in it; a sticky folder
      // such as /tmp keeps others' hands off what is in it, but not from adding to it.
      for (Path above = real.getParent();
          own.isEmpty() && above != null;
          above = above.getParent()) {
        own = isSticky(above) ? Optional.empty() : permissions(above);
      }
      return own;
    } catch (IOException | UncheckedIOException e) {
      return Optional.of("the permissions of %s can't be read: %s".formatted(path, e));
    }
  }

  /** Whether a directory is this user's and nobody else can write it. */
  static boolean isOwn(Path directory, UserPrincipal me) throws IOException {
    return !Files.getFileStore(directory).supportsFileAttributeView("posix")
        || attributes(directory).owner().equals(me) && permissions(directory).isEmpty();
  }

  private static Optional<String> ownership(Path path) throws IOException {
    UserPrincipal owner = attributes(path).owner();
    UserPrincipal me = JarStore.owner();
    return owner.equals(me) || isRoots(path)
        ? Optional.empty()
        : Optional.of(
            "%s belongs to %s, who could change it, and neither to you nor to root; copy it to a folder of your own, or run: chown %s %s"
                .formatted(path, owner.getName(), me.getName(), path));
  }

  private static Optional<String> permissions(Path path) {
    PosixFileAttributes found = attributes(path);
    Set<PosixFilePermission> modes = found.permissions();
    boolean others = modes.contains(PosixFilePermission.OTHERS_WRITE);
    boolean group =
        modes.contains(PosixFilePermission.GROUP_WRITE)
            && !UserGroups.isPrivate(found.group().getName(), found.owner().getName());
    if (!others && !group) {
      return Optional.empty();
    }
    return Optional.of(
        "%s can be written by %s (%s), who could run any code in this process; run: chmod %s %s"
            .formatted(
                path,
                others ? "everybody" : "the group " + found.group().getName(),
                PosixFilePermissions.toString(modes),
                others ? "go-w" : "g-w",
                path));
  }

  private static boolean isRoots(Path path) {
    return Integer.valueOf(0).equals(unix(path, "unix:uid"));
  }

  private static boolean isSticky(Path path) {
    return unix(path, "unix:mode") instanceof Integer mode && (mode & 01000) != 0;
  }

  private static Object unix(Path path, String attribute) {
    try {
      return Files.getAttribute(path, attribute);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return "unknown";
    }
  }

  private static PosixFileAttributes attributes(Path path) {
    try {
      return Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
