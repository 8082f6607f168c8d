// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginWatcherTest {
  @TempDir Path folder;
  @TempDir Path elsewhere;

  private final Lives lives = new Lives();

  @Test
  void aFileIsStartedWhenItIsThereAndRetiredWhenItIsGone() throws Exception {
    try (Plugins plugins = start();
        PluginWatcher watcher = PluginWatcher.start(plugins, Duration.ofMillis(20))) {
      Path jar = PluginJar.working("toy").write(folder.resolve("toy.jar"));
      await(() -> plugins.devices().size() == 1);
      Files.delete(jar);
      await(() -> plugins.devices().isEmpty());
    }
  }

  @Test
  void aFileThatIsBeingCopiedIsLeftAloneUntilItIsComplete() throws Exception {
    byte[] whole = Files.readAllBytes(PluginJar.working("toy").write(elsewhere.resolve("t.jar")));
    try (Plugins plugins = start();
        PluginWatcher watcher = PluginWatcher.start(plugins, Duration.ofMillis(100))) {
      try (OutputStream out = Files.newOutputStream(folder.resolve("toy.jar"))) {
        for (int piece = 0; piece < 8; piece++) {
          int from = whole.length * piece / 8;
          out.write(whole, from, whole.length * (piece + 1) / 8 - from);
          out.flush();
          Thread.sleep(60);
        }
      }
      await(() -> plugins.devices().size() == 1);
    }
    assertThat(lives.take()).startsWith(Lives.start("toy", 1).toArray(String[]::new));
  }

  @Test
  void aFileThatStaysHalfFailsInTheEndAndStartsOnceItIsWhole() throws Exception {
    byte[] whole = Files.readAllBytes(PluginJar.working("toy").write(elsewhere.resolve("t.jar")));
    try (Plugins plugins = start();
        PluginWatcher watcher = PluginWatcher.start(plugins, Duration.ofMillis(20))) {
      Path jar = folder.resolve("toy.jar");
      Files.write(jar, java.util.Arrays.copyOf(whole, whole.length / 2));
      await(() -> plugins.statuses().size() == 1);
      await(() -> plugins.statuses().getFirst().state() == PluginState.FAILED);
      assertThat(plugins.statuses().getFirst().reason()).contains("not a readable JAR file");
      Files.write(jar, whole);
      await(() -> plugins.devices().size() == 1);
    }
  }

  @Test
  void aFolderThatVanishesLeavesThePluginsAsTheyAre() throws Exception {
    Path inner = Files.createDirectory(folder.resolve("plugins"));
    PluginJar.working("toy").write(inner.resolve("toy.jar"));
    try (Plugins plugins =
            Plugins.start(
                List.of(new FolderSource(inner)), Map.of(), Duration.ofSeconds(30), lives);
        PluginWatcher watcher = PluginWatcher.start(plugins, Duration.ofMillis(20))) {
      Files.move(inner, folder.resolve("moved"));
      Thread.sleep(200);
      assertThat(plugins.devices()).hasSize(1);
    }
  }

  private Plugins start() throws IOException {
    return Plugins.start(
        List.of(new FolderSource(folder)), Map.of(), Duration.ofSeconds(30), lives);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 3000 && !condition.getAsBoolean(); i++) {
      Thread.sleep(10);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }
}
