// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PluginLifeTest {
  /** The ways in which plugins come and go. */
  enum Way {
    FOLDER(FolderSource::new),
    OSGI(FolderSource::ofBundles);

    private final Function<Path, PluginSource> source;

    Way(Function<Path, PluginSource> source) {
      this.source = source;
    }
  }

  @TempDir Path folder;

  private final Lives lives = new Lives();

  @Test
  void oneJarWorksUnchangedByAllThreeWaysAndTakesTheSameSteps() throws IOException {
    Path jar = PluginJar.working("toy").write(folder.resolve("toy.jar"));
    try (URLClassLoader classPath =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, getClass().getClassLoader())) {
      List<PluginSource> ways =
          List.of(
              new OnlyToy(new ClassPathSource(classPath)),
              new FolderSource(folder),
              FolderSource.ofBundles(folder));
      List<PluginWay> seen = new ArrayList<>();
      for (PluginSource way : ways) {
        try (Plugins plugins = start(way)) {
          PluginStatus toy = plugins.statuses().getFirst();
          assertThat(toy.reason()).isEmpty();
          assertThat(toy.name()).isEqualTo("toy");
          assertThat(toy.spiVersion()).isEqualTo("1.0");
          assertThat(plugins.devices()).extracting(d -> d.info().id()).containsExactly("toy:0");
          assertThat(lives.take()).isEqualTo(Lives.start("toy", 1));
          seen.add(toy.way());
        }
        assertThat(lives.take()).containsExactly("toy 1 DRAINING", "toy 1 RETIRED");
      }
      assertThat(seen).containsExactly(PluginWay.values());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPluginIsAddedReplacedAndRemovedWhileTheHostRuns(Way way) throws IOException {
    try (Plugins plugins = start(way.source.apply(folder))) {
      assertThat(plugins.devices()).isEmpty();

      PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
      plugins.rescan();
      assertThat(lives.take()).isEqualTo(Lives.start("toy", 1));

      plugins.rescan();
      assertThat(lives.take()).isEmpty();

      PluginJar.ofVersion("toy", "2.0").write(folder.resolve("toy.jar"));
      plugins.rescan();
      assertThat(lives.take())
          .containsExactly(
              "toy 2 FOUND",
              "toy 2 VERIFIED",
              "toy 2 RESOLVED",
              "toy 2 PROBED",
              "toy 1 DRAINING",
              "toy 2 ACTIVE",
              "toy 1 RETIRED");
      assertThat(plugins.devices()).hasSize(1);
      assertThat(plugins.statuses().getLast().version()).isEqualTo("2.0");

      Files.delete(folder.resolve("toy.jar"));
      plugins.rescan();
      assertThat(lives.take()).contains("toy 2 DRAINING", "toy 2 RETIRED");
      assertThat(plugins.statuses()).isEmpty();
      assertThat(plugins.devices()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatRunsFinishesOnItsGeneration(Way way) throws IOException {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(way.source.apply(folder))) {
      Device old = plugins.devices().getFirst();
      Lease lease = Lease.on(List.of(old));
      PluginJar.ofVersion("toy", "2").write(folder.resolve("toy.jar"));
      plugins.rescan();
      assertThat(plugins.statuses())
          .extracting(PluginStatus::state)
          .containsExactly(PluginState.DRAINING, PluginState.ACTIVE);
      assertThat(old.memory().total()).isEqualTo(2);
      assertThat(plugins.devices()).hasSize(1).doesNotContain(old);
      assertThatThrownBy(() -> Lease.on(List.of(old)))
          .isInstanceOfSatisfying(
              ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED))
          .hasMessageContaining("generation 1 of the plugin toy", "replaced by generation 2");
      lives.take();
      lease.close();
      assertThat(lives.take()).containsExactly("toy 1 RETIRED");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRetiredGenerationLeavesTheMemory(Way way) throws Exception {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(way.source.apply(folder))) {
      Files.delete(folder.resolve("toy.jar"));
      plugins.rescan();
      for (int i = 0; i < 100 && !plugins.history().isEmpty(); i++) {
        plugins.collect();
        if (plugins.history().stream().allMatch(s -> s.unload() == Unload.COLLECTED)) {
          break;
        }
        Thread.sleep(20);
      }
      assertThat(lives.take()).endsWith("toy 1 RETIRED COLLECTED");
      plugins.rescan();
      assertThat(plugins.history()).isEmpty();
    }
  }

  @Test
  void aGenerationThatIsStillReferredToIsReportedAsInMemory() throws IOException {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(new FolderSource(folder))) {
      Device kept = plugins.devices().getFirst();
      Files.delete(folder.resolve("toy.jar"));
      plugins.rescan();
      plugins.collect();
      assertThat(plugins.history())
          .extracting(PluginStatus::state, PluginStatus::unload)
          .containsExactly(tuple(PluginState.RETIRED, Unload.PENDING));
      assertThat(kept.info().id()).isEqualTo("toy:0");
    }
  }

  @Test
  void aReplacementThatFailsLeavesTheOldGenerationActive() throws IOException {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(new FolderSource(folder))) {
      Files.writeString(folder.resolve("toy.jar"), "half a file");
      plugins.rescan();
      assertThat(plugins.statuses())
          .extracting(PluginStatus::state)
          .containsExactly(PluginState.ACTIVE, PluginState.FAILED);
      assertThat(plugins.devices()).hasSize(1);

      PluginJar.ofVersion("toy", "3").write(folder.resolve("toy.jar"));
      plugins.rescan();
      assertThat(plugins.statuses())
          .extracting(PluginStatus::state, PluginStatus::version)
          .containsExactly(tuple(PluginState.ACTIVE, "3"));
    }
  }

  @Test
  void aNewVersionInAFileOfItsOwnTakesOverWhenTheOldFileIsRemoved() throws IOException {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy-1.jar"));
    try (Plugins plugins = start(new FolderSource(folder))) {
      PluginJar.ofVersion("toy", "2").write(folder.resolve("toy-2.jar"));
      plugins.rescan();
      assertThat(plugins.statuses().getLast().reason()).contains("remove one of the two");
      Files.delete(folder.resolve("toy-1.jar"));
      plugins.rescan();
      assertThat(plugins.statuses())
          .filteredOn(status -> status.state() == PluginState.ACTIVE)
          .extracting(PluginStatus::version)
          .containsExactly("2");
    }
  }

  @Test
  void aRunningGenerationStillFindsItsClassesAfterItsFileWasOverwritten() throws IOException {
    PluginJar.with(
            "toy",
            """
            if (true) return Registration.of("1", List.of(new Only("toy", 0)), () -> Late.run());
            """)
        .source("third.party.Late", "package third.party; class Late { static void run() {} }")
        .write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(new FolderSource(folder))) {
      Lease lease = Lease.on(plugins.devices());
      Files.write(folder.resolve("toy.jar"), new byte[1 << 20]);
      plugins.rescan();
      Files.delete(folder.resolve("toy.jar"));
      plugins.rescan();
      lease.close();
      assertThat(plugins.history().getFirst().reason()).isEqualTo("removed");
    }
  }

  @Test
  void aJarThatIsNoBundleIsToldSo() throws IOException {
    PluginJar.working("toy").manifest("Bundle-SymbolicName", "").write(folder.resolve("toy.jar"));
    PluginJar.working("two")
        .manifest("Import-Package", "dev.consort.api;version=\"[9,10)\",dev.consort.spi")
        .write(folder.resolve("two.jar"));
    try (Plugins plugins = start(FolderSource.ofBundles(folder))) {
      assertThat(plugins.statuses().getFirst().reason()).contains("no OSGi bundle");
      assertThat(plugins.statuses().getLast().reason())
          .contains("does not resolve", "dev.consort.api");
    }
  }

  /** The class path of the tests holds real plugins too. */
  private record OnlyToy(PluginSource all) implements PluginSource {
    @Override
    public List<PluginCandidate> find() {
      return all.find().stream().filter(found -> found.label().contains("toy")).toList();
    }
  }

  private Plugins start(PluginSource source) {
    return Plugins.start(List.of(source), Map.of(), Duration.ofSeconds(30), lives);
  }
}
