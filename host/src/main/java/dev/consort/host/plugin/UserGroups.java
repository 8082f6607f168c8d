// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Many systems give every user a group of their own and make new files writable by it; such a group
 * is nobody else.
 */
final class UserGroups {
  private static final Path GROUPS = Path.of("/etc/group");

  private UserGroups() {}

  /** Whether a group has its owner's name and, as far as the system lists it, no other member. */
  static boolean isPrivate(String group, String owner) {
    return group.equals(owner) && listing(GROUPS, group).stream().allMatch(m -> m.equals(owner));
  }

  private static java.util.List<String> listing(Path file, String group) {
    try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
      Optional<String> members =
          lines
              .filter(line -> line.startsWith(group + ":"))
              .map(line -> line.substring(line.lastIndexOf(':') + 1).strip())
              .findFirst();
      return members.filter(text -> !text.isEmpty()).stream()
          .flatMap(text -> Arrays.stream(text.split(",")))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      return java.util.List.of();
    }
  }
}
