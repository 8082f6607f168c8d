// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginFolderTest {
  @TempDir Path folder;

  @Test
  void aPluginOfAFolderBringsItsDevices() throws IOException {
    PluginJar.working("toy").write(folder.resolve("toy-1.2.jar"));
    Files.writeString(folder.resolve("README"), "no plugin");
    try (Plugins plugins = start(Map.of())) {
      PluginStatus toy = plugins.statuses().getFirst();
      assertThat(plugins.statuses()).hasSize(1);
      assertThat(toy.name()).isEqualTo("toy");
      assertThat(toy.version()).isEqualTo("1.2");
      assertThat(toy.state()).isEqualTo(PluginState.ACTIVE);
      assertThat(toy.reason()).isEmpty();
      assertThat(toy.devices().getFirst().info().id()).isEqualTo("toy:0");
    }
  }

  @Test
  void noDriverIsUnavailableAndNoFailure() throws IOException {
    PluginJar.with("toy", "if (true) return Registration.unavailable(\"1\", \"no driver here\");")
        .write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(Map.of())) {
      PluginStatus toy = plugins.statuses().getFirst();
      assertThat(toy.state()).isEqualTo(PluginState.UNAVAILABLE);
      assertThat(toy.reason()).isEqualTo("no driver here");
      assertThat(plugins.devices()).isEmpty();
    }
  }

  @Test
  void aPluginSeesOfTheHostOnlyWhatIsShared() throws IOException {
    String probe =
        """
        StringBuilder seen = new StringBuilder();
        for (String name : List.of(
            "dev.consort.host.Consort", "picocli.CommandLine", "org.junit.jupiter.api.Test",
            "dev.consort.api.Device", "org.slf4j.Logger", "java.sql.Connection")) {
          try { Class.forName(name); seen.append("yes "); }
          catch (ClassNotFoundException e) { seen.append("no "); }
        }
        if (true) return Registration.unavailable("1", seen.toString());
        """;
    PluginJar.with("toy", probe).write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(Map.of())) {
      assertThat(plugins.statuses().getFirst().reason()).isEqualTo("no no no yes yes yes ");
    }
  }

  @Test
  void twoPluginsMayHoldDifferentClassesOfOneName() throws IOException {
    String same = "package third.party; class Same { static String text() { return \"%s\"; } }";
    for (String name : List.of("one", "two")) {
      PluginJar.with(name, "if (true) return Registration.unavailable(\"1\", Same.text());")
          .source("third.party.Same", same.formatted("I am " + name))
          .write(folder.resolve(name + ".jar"));
    }
    try (Plugins plugins = start(Map.of())) {
      assertThat(plugins.statuses())
          .extracting(PluginStatus::reason)
          .containsExactly("I am one", "I am two");
    }
  }

  @Test
  void nativesComeFromADirectoryThatBelongsToTheJarAlone() throws IOException {
    byte[] noLibrary = "no library".getBytes(StandardCharsets.UTF_8);
    String file = System.mapLibraryName("toy");
    for (String name : List.of("one", "two")) {
      PluginJar.with(
              name,
              """
              String natives = context.nativeDirectory().toString();
              try { System.loadLibrary("toy"); }
              catch (UnsatisfiedLinkError e) {
                if (!e.getMessage().contains(natives)) throw e;
                if (true) return Registration.unavailable("1", natives);
              }
              """)
          .entry("natives/any/" + file, noLibrary)
          .write(folder.resolve(name + ".jar"));
    }
    try (Plugins plugins = start(Map.of())) {
      String one = plugins.statuses().getFirst().reason();
      String two = plugins.statuses().getLast().reason();
      assertThat(Path.of(one).resolve(file)).hasBinaryContent(noLibrary);
      assertThat(Path.of(two).resolve(file)).hasBinaryContent(noLibrary);
      assertThat(one).isNotEqualTo(two);
    }
  }

  @Test
  void aPluginGetsItsOwnSettingsOnly() throws IOException {
    PluginJar.with(
            "toy",
            """
            if (true) return Registration.unavailable("1",
                context.setting("threads") + " " + context.setting("other.threads"));
            """)
        .write(folder.resolve("toy.jar"));
    try (Plugins plugins = start(Map.of("toy.threads", "3", "other.threads", "4"))) {
      assertThat(plugins.statuses().getFirst().reason()).isEqualTo("Optional[3] Optional.empty");
    }
  }

  @Test
  void aFolderThatIsMissingIsAnError() {
    Path missing = folder.resolve("nothing");
    assertThatThrownBy(
            () ->
                Plugins.start(List.of(new FolderSource(missing)), Map.of(), Duration.ofSeconds(30)))
        .isInstanceOfSatisfying(
            ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND))
        .hasMessageContaining(missing.toString())
        .hasMessageContaining("--plugins");
  }

  private Plugins start(Map<String, String> settings) {
    return Plugins.start(List.of(new FolderSource(folder)), settings, Duration.ofSeconds(30));
  }
}
