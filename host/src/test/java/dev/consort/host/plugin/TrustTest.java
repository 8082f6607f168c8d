// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "there are no POSIX permissions")
class TrustTest {
  @TempDir Path parent;
  private Path folder;

  @BeforeEach
  void aFolderWithTwoPlugins() throws IOException {
    folder = Files.createDirectory(parent.resolve("plugins"));
    permit(folder, "rwxr-xr-x");
    PluginJar.working("one").write(folder.resolve("one.jar"));
    PluginJar.working("two").write(folder.resolve("two.jar"));
  }

  @Test
  void aJarThatEverybodyCanWriteIsRefusedAndTheOthersAreNot() throws IOException {
    permit(folder.resolve("two.jar"), "rw-rw-rw-");
    assertRefused(
        folder.resolve("two.jar") + " can be written by everybody (rw-rw-rw-)",
        "chmod go-w " + folder.resolve("two.jar"));
    assertThat(states()).containsExactly(PluginState.ACTIVE, PluginState.FAILED);
  }

  @Test
  void everyJarOfAFolderThatEverybodyCanWriteIsRefused() throws IOException {
    permit(folder, "rwxrwxrwx");
    assertRefused(folder + " can be written by everybody (rwxrwxrwx)", "chmod go-w " + folder);
    assertThat(states()).containsExactly(PluginState.FAILED, PluginState.FAILED);
  }

  @Test
  void aFolderInAFolderThatEverybodyCanWriteIsRefusedSinceItCouldBeReplaced() throws IOException {
    permit(parent, "rwxrwxrwx");
    assertRefused(parent + " can be written by everybody", "chmod go-w " + parent);
  }

  @Test
  void aFolderInAStickyFolderIsTrustedSinceOthersCannotReplaceIt() throws IOException {
    Files.setAttribute(parent, "unix:mode", 01777);
    assertThat(states()).containsExactly(PluginState.ACTIVE, PluginState.ACTIVE);
  }

  @Test
  void aStickyFolderOfPluginsIsRefusedSinceOthersCanAddToIt() throws IOException {
    Files.setAttribute(folder, "unix:mode", 01777);
    assertRefused(folder + " can be written by everybody");
  }

  @Test
  void aLinkIsJudgedByWhereItLeads() throws IOException {
    Path elsewhere = Files.createDirectory(parent.resolve("elsewhere"));
    Path jar = PluginJar.working("three").write(elsewhere.resolve("three.jar"));
    permit(elsewhere, "rwxrwxrwx");
    Files.createSymbolicLink(folder.resolve("three.jar"), jar);
    assertRefused(elsewhere + " can be written by everybody");
  }

  @Test
  void aPluginIsTriedAgainWhenItsPermissionsWerePutRight() throws IOException {
    permit(folder, "rwxrwxrwx");
    try (Plugins plugins = start()) {
      assertThat(plugins.devices()).isEmpty();
      permit(folder, "rwxr-xr-x");
      plugins.rescan();
      assertThat(plugins.devices()).hasSize(2);
    }
  }

  @Test
  void aUsersOwnGroupIsNobodyElse() {
    assertThat(UserGroups.isPrivate("nobody-of-this-name", "nobody-of-this-name")).isTrue();
    assertThat(UserGroups.isPrivate("staff", "ann")).isFalse();
  }

  @Test
  void theCopiesThatAreLoadedAreNobodyElsesAndGoWithTheHost() throws IOException {
    try (Plugins plugins = start()) {
      assertThat(plugins.devices()).hasSize(2);
      Path session = SessionDirectory.unused("x").getParent();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(session)))
          .isEqualTo("rwx------");
      try (var copies = Files.list(session)) {
        assertThat(copies.filter(file -> file.toString().endsWith("-two.jar"))).isNotEmpty();
      }
    }
    Path session = SessionDirectory.unused("x").getParent();
    try (var copies = Files.list(session)) {
      assertThat(copies.filter(file -> file.toString().endsWith(".jar"))).isEmpty();
    }
  }

  private void assertRefused(String... words) {
    try (Plugins plugins = start()) {
      assertThat(plugins.statuses())
          .filteredOn(status -> status.state() == PluginState.FAILED)
          .isNotEmpty()
          .allSatisfy(status -> assertThat(status.reason()).contains(words));
    }
  }

  private List<PluginState> states() {
    try (Plugins plugins = start()) {
      return plugins.statuses().stream().map(PluginStatus::state).toList();
    }
  }

  private Plugins start() {
    return Plugins.start(List.of(new FolderSource(folder)), Map.of(), Duration.ofSeconds(30));
  }

  private static void permit(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }
}
