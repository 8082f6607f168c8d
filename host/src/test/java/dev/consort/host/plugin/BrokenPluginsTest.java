// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BrokenPluginsTest {
  private static final Duration PATIENT = Duration.ofSeconds(30);

  @TempDir Path folder;

  @BeforeEach
  void aWorkingPluginStandsBeside() throws IOException {
    PluginJar.working("good").write(folder.resolve("good.jar"));
  }

  static Stream<Arguments> broken() {
    String next = (SpiVersion.CURRENT.major() + 1) + ".0";
    return Stream.of(
        Arguments.of(
            "throws",
            PluginJar.with("bad", "if (true) throw new RuntimeException(\"boom\");"),
            "boom"),
        Arguments.of(
            "throws an error",
            PluginJar.with("bad", "if (true) throw new StackOverflowError();"),
            "StackOverflowError"),
        Arguments.of(
            "exits by a missing class",
            PluginJar.with("bad", "Gone.run();")
                .source(
                    "third.party.Gone", "package third.party; class Gone { static void run() {} }")
                .without("third.party.Gone"),
            "NoClassDefFoundError: third/party/Gone"),
        Arguments.of(
            "a native that is missing",
            PluginJar.with("bad", "System.loadLibrary(\"nowhere\");"),
            "nowhere"),
        Arguments.of("no provider", PluginJar.empty(), "no provider"),
        Arguments.of(
            "a provider that is not there",
            PluginJar.empty().service("third.party.Nobody"),
            "third.party.Nobody"),
        Arguments.of(
            "a provider that is none",
            PluginJar.empty()
                .source("third.party.Other", "package third.party; public class Other {}")
                .service("third.party.Other"),
            "third.party.Other"),
        Arguments.of(
            "two providers",
            PluginJar.working("bad")
                .source(
                    "third.party.More",
                    "package third.party; public class More extends badProvider {}")
                .service("third.party.More"),
            "2 providers"),
        Arguments.of("null", PluginJar.with("bad", "if (true) return null;"), "returned null"),
        Arguments.of(
            "another plugin's device",
            PluginJar.with(
                "bad",
                "if (true) return Registration.of(\"1\", List.of(new Only(\"cpu\", 0)), () ->"
                    + " {});"),
            "calls itself cpu:0 instead of bad:0"),
        Arguments.of("a name that is no name", PluginJar.working("Bad"), "its name is \"Bad\""),
        Arguments.of(
            "a newer SPI in the manifest",
            PluginJar.working("bad").manifest("Consort-Spi-Version", next),
            "made for SPI " + next + ", but this host has SPI " + SpiVersion.CURRENT),
        Arguments.of(
            "no version in the manifest",
            PluginJar.working("bad").manifest("Consort-Spi-Version", "new"),
            "\"new\", which is no version"),
        Arguments.of(
            "a newer SPI in the registration",
            PluginJar.with(
                "bad",
                """
                if (true) return new Registration(
                    "1", new SpiVersion(1, 99), List.of(new Only("bad", 0)), "", () -> {});
                """),
            "made for SPI 1.99, but this host has SPI " + SpiVersion.CURRENT));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void aBrokenPluginHasAReasonAndHarmsNobody(String how, PluginJar jar, String reason)
      throws IOException {
    jar.write(folder.resolve("bad.jar"));
    assertOnlyBadFailed(reason);
  }

  @Test
  void aCorruptJarHasAReasonAndHarmsNobody() throws IOException {
    Files.writeString(folder.resolve("bad.jar"), "no zip file at all");
    assertOnlyBadFailed("not a readable JAR file");
  }

  @Test
  void aTruncatedJarHasAReasonAndHarmsNobody() throws IOException {
    byte[] whole = Files.readAllBytes(folder.resolve("good.jar"));
    Files.write(folder.resolve("bad.jar"), java.util.Arrays.copyOf(whole, whole.length / 2));
    assertOnlyBadFailed("not a readable JAR file");
  }

  @Test
  void aFolderThatIsNamedLikeAJarHasAReasonAndHarmsNobody() throws IOException {
    Files.createDirectory(folder.resolve("bad.jar"));
    assertOnlyBadFailed("no regular file");
  }

  @Test
  void aPluginThatHangsIsGivenUp() throws IOException {
    PluginJar.with("bad", "try { Thread.sleep(600_000); } catch (InterruptedException e) {}")
        .write(folder.resolve("bad.jar"));
    long start = System.nanoTime();
    try (Plugins plugins = start(Duration.ofSeconds(3))) {
      assertThat(plugins.statuses().getFirst().reason()).contains("3000 ms");
      assertThat(plugins.devices()).hasSize(1);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void whatALatePluginBringsIsClosed() throws Exception {
    Path mark = folder.resolve("closed");
    PluginJar.with(
            "bad",
            """
            try { Thread.sleep(1500); } catch (InterruptedException e) {}
            if (true) return Registration.of("1", List.of(new Only("bad", 0)), () -> {
              try { java.nio.file.Files.createFile(java.nio.file.Path.of("MARK")); }
              catch (java.io.IOException e) { throw new RuntimeException(e); }
            });
            """
                .replace("MARK", mark.toString().replace("\\", "\\\\")))
        .write(folder.resolve("bad.jar"));
    Files.delete(folder.resolve("good.jar"));
    try (Plugins plugins = start(Duration.ofMillis(700))) {
      assertThat(plugins.statuses().getFirst().state()).isEqualTo(PluginState.FAILED);
      for (int i = 0; i < 300 && !Files.exists(mark); i++) {
        Thread.sleep(100);
      }
      assertThat(mark).exists();
    }
  }

  @Test
  void ofTwoPluginsWithOneNameTheLaterFails() throws IOException {
    PluginJar.working("good").write(folder.resolve("later.jar"));
    try (Plugins plugins = start(PATIENT)) {
      assertThat(plugins.statuses())
          .extracting(PluginStatus::state)
          .containsExactly(PluginState.ACTIVE, PluginState.FAILED);
      assertThat(plugins.statuses().getLast().reason())
          .contains("already loaded from " + folder.resolve("good.jar"));
      assertThat(plugins.devices()).hasSize(1);
    }
  }

  @Test
  void aPluginThatFailsToCloseHarmsNobody() throws IOException {
    PluginJar.with(
            "bad",
            """
            if (true) return Registration.of("1", List.of(new Only("bad", 0)),
                () -> { throw new IllegalStateException("stays open"); });
            """)
        .write(folder.resolve("bad.jar"));
    Plugins plugins = start(PATIENT);
    assertThat(plugins.devices()).hasSize(2);
    plugins.close();
  }

  private void assertOnlyBadFailed(String reason) {
    try (Plugins plugins = start(PATIENT)) {
      assertThat(plugins.statuses()).hasSize(2);
      PluginStatus bad = plugins.statuses().getFirst();
      assertThat(bad.state()).isEqualTo(PluginState.FAILED);
      assertThat(bad.reason()).contains(reason);
      assertThat(bad.origin()).isEqualTo(folder.resolve("bad.jar").toString());
      assertThat(bad.devices()).isEmpty();
      assertThat(plugins.statuses().getLast().state()).isEqualTo(PluginState.ACTIVE);
      assertThat(plugins.devices())
          .extracting(device -> device.info().id())
          .containsExactly("good:0");
    }
  }

  private Plugins start(Duration limit) {
    return Plugins.start(List.of(new FolderSource(folder)), Map.of(), limit);
  }
}
