// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginsLockTest {
  @TempDir Path folder;

  @BeforeEach
  void aLockedFolder() throws IOException {
    PluginJar.ofVersion("one", "1").write(folder.resolve("one.jar"));
    PluginJar.with("two", "if (true) return Registration.unavailable(\"2\", \"no driver\");")
        .write(folder.resolve("two.jar"));
    try (Plugins plugins = start()) {
      PluginsLock.of(plugins.statuses()).write(folder);
    }
  }

  @Test
  void aLockListsNameVersionAndHashOfWhatCouldBeLoaded() throws IOException {
    assertThat(Files.readString(folder.resolve("plugins.lock")).lines())
        .filteredOn(line -> !line.startsWith("#"))
        .containsExactly(
            "one 1 " + Fingerprint.ofFile(folder.resolve("one.jar")),
            "two 2 " + Fingerprint.ofFile(folder.resolve("two.jar")));
    try (Plugins plugins = start()) {
      assertThat(plugins.devices()).hasSize(1);
    }
  }

  @Test
  void whatALockDoesNotListIsNotLoaded() throws IOException {
    Path mark = folder.resolve("ran");
    PluginJar.with("three", "new java.io.File(\"%s\").mkdir();".formatted(mark))
        .write(folder.resolve("three.jar"));
    try (Plugins plugins = start()) {
      PluginStatus three = status(plugins, "three.jar");
      assertThat(three.state()).isEqualTo(PluginState.FAILED);
      assertThat(three.reason())
          .contains("plugins.lock does not list it", three.sha256(), "consort plugins lock");
      assertThat(plugins.devices()).hasSize(1);
      assertThat(mark).doesNotExist();
    }
  }

  @Test
  void aFileThatWasChangedIsNotLoaded() throws IOException {
    PluginJar.ofVersion("one", "1.1").write(folder.resolve("one.jar"));
    try (Plugins plugins = start()) {
      assertThat(status(plugins, "one.jar").reason()).contains("does not list it");
    }
  }

  @Test
  void aPluginThatCallsItselfOtherwiseThanTheLockSaysIsRefused() throws IOException {
    Path lock = folder.resolve("plugins.lock");
    Files.writeString(lock, Files.readString(lock).replace("one 1 ", "one 7 "));
    try (Plugins plugins = start()) {
      assertThat(plugins.statuses().getFirst().reason())
          .contains("lists this file as one 7, but it calls itself one 1");
    }
  }

  @Test
  void aLockThatCannotBeReadAdmitsNothing() throws IOException {
    Files.writeString(folder.resolve("plugins.lock"), "one 1 nonsense");
    try (Plugins plugins = start()) {
      assertThat(plugins.statuses())
          .extracting(PluginStatus::state)
          .containsOnly(PluginState.FAILED);
      assertThat(plugins.statuses().getFirst().reason())
          .contains("line 1 of", "64 hexadecimal digits", "consort plugins lock");
    }
  }

  @Test
  void aPluginIsTriedAgainWhenTheLockWasWrittenAgain() throws IOException {
    PluginJar.ofVersion("three", "3").write(folder.resolve("three.jar"));
    try (Plugins plugins = start()) {
      assertThat(plugins.devices()).hasSize(1);
      try (Plugins all =
          Plugins.start(
              List.of(new FolderSource(folder).withoutLock()), Map.of(), Duration.ofSeconds(30))) {
        PluginsLock.of(all.statuses()).write(folder);
      }
      plugins.rescan();
      assertThat(plugins.devices()).hasSize(2);
    }
  }

  @Test
  void whatIsLoadedIsTheCopyThatWasHashed() throws IOException {
    Path jar = folder.resolve("one.jar");
    AtomicReference<String> seen = new AtomicReference<>("");
    Admission swapping =
        identity -> {
          seen.set(identity.sha256());
          swap(jar);
          return java.util.Optional.empty();
        };
    String before = Fingerprint.ofFile(jar);
    try (Plugins plugins =
        Plugins.start(List.of(new JarSource(jar, swapping)), Map.of(), Duration.ofSeconds(30))) {
      assertThat(plugins.statuses().getFirst().version()).isEqualTo("1");
      assertThat(plugins.statuses().getFirst().sha256()).isEqualTo(before).isEqualTo(seen.get());
      assertThat(Fingerprint.ofFile(jar)).isNotEqualTo(before);
    }
  }

  @Test
  void aStrangersJarIsNotLoadedUnlessSomebodyAdmitsIt() throws IOException {
    Path mark = folder.resolve("ran");
    Path jar =
        PluginJar.with("stranger", "new java.io.File(\"%s\").mkdir();".formatted(mark))
            .write(folder.resolve("stranger.jar"));
    Admission nobody =
        identity -> {
          throw new ConsortException(ErrorCode.PLUGIN_FAILED, "nobody admitted " + identity);
        };
    try (Plugins plugins =
        Plugins.start(List.of(new JarSource(jar, nobody)), Map.of(), Duration.ofSeconds(30))) {
      assertThat(plugins.statuses().getFirst().reason()).contains("nobody admitted");
      assertThat(mark).doesNotExist();
    }
  }

  private static void swap(Path jar) {
    try {
      PluginJar.ofVersion("one", "666").write(jar);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static PluginStatus status(Plugins plugins, String file) {
    return plugins.statuses().stream()
        .filter(status -> status.origin().endsWith(file))
        .findFirst()
        .orElseThrow();
  }

  private Plugins start() {
    return Plugins.start(List.of(new FolderSource(folder)), Map.of(), Duration.ofSeconds(30));
  }
}
