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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
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
        Arguments.of(
            "throws in its constructor",
            PluginJar.with("bad", "")
                .source(
                    "third.party.First",
                    """
                    package third.party;
                    public class First extends badProvider {
                      public First() { throw new IllegalArgumentException("no arguments"); }
                    }
                    """)
                .service("third.party.First")
                .withoutService("third.party.badProvider"),
            "loading its provider failed with java.lang.IllegalArgumentException: no arguments"),
        Arguments.of(
            "fails in a static initializer",
            PluginJar.with("bad", "int it = Broken.IT;")
                .source(
                    "third.party.Broken",
                    "package third.party; class Broken { static int IT = Integer.parseInt(\"x\");"
                        + " }"),
            "register() failed with java.lang.ExceptionInInitializerError"),
        Arguments.of(
            "an old class file",
            PluginJar.working("bad")
                .entry("third/party/Old.class", new byte[] {1, 2, 3, 4})
                .service("third.party.Old")
                .withoutService("third.party.badProvider"),
            "ClassFormatError"),
        Arguments.of(
            "a null device",
            PluginJar.with(
                "bad",
                "if (true) return Registration.of(\"1\", Arrays.asList((Device) null), () -> {});"),
            "register() failed with java.lang.NullPointerException (at"
                + " dev.consort.spi.Registration"),
        Arguments.of(
            "a null name",
            PluginJar.working("bad")
                .source(
                    "third.party.First",
                    """
                    package third.party;
                    public class First extends badProvider {
                      public String name() { return null; }
                    }
                    """)
                .service("third.party.First")
                .withoutService("third.party.badProvider"),
            "its name is \"null\""),
        Arguments.of(
            "its own copy of the API",
            PluginJar.working("bad")
                .entry("dev/consort/api/Device.class", new byte[8])
                .entry("META-INF/versions/9/dev/consort/api/Tensor.class", new byte[8]),
            "its own copy of what the host shares with plugins (dev/consort/api/Device.class and 1"
                + " more)"),
        Arguments.of(
            "a ZIP bomb",
            PluginJar.working("bad").entry("zeros", new byte[100 << 20]),
            "as in a ZIP bomb"),
        Arguments.of(
            "a manifest that is too long",
            PluginJar.empty().manifest("Long", "x".repeat(2 << 20)),
            "its manifest is longer than"),
        Arguments.of(
            "no SPI version in the manifest",
            PluginJar.working("bad").manifest("Consort-Spi-Version", null),
            "its manifest has no Consort-Spi-Version"),
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
      note(plugins.statuses().getFirst());
      assertThat(plugins.statuses().getFirst().reason()).contains("register()", "3000 ms");
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
      note(plugins.statuses().getLast());
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

  @Test
  void entriesThatOverlapHaveAReasonAndHarmNobody() throws IOException {
    Files.write(folder.resolve("bad.jar"), OverlappingZip.of(200, 1 << 20));
    assertOnlyBadFailed("so they overlap");
  }

  @Test
  void aHangInTheConstructorIsGivenUp() throws IOException {
    PluginJar.working("bad")
        .source(
            "third.party.First",
            """
            package third.party;
            public class First extends badProvider {
              public First() { while (true) { Thread.onSpinWait(); if (Thread.interrupted()) break; } }
            }
            """)
        .service("third.party.First")
        .withoutService("third.party.badProvider")
        .write(folder.resolve("bad.jar"));
    try (Plugins plugins = start(Duration.ofSeconds(3))) {
      note(plugins.statuses().getFirst());
      assertThat(plugins.statuses().getFirst().reason())
          .isEqualTo("loading its provider took longer than 3000 ms; it was given up");
      assertThat(plugins.devices()).hasSize(1);
    }
  }

  /** What became of each hostile JAR, for whoever reads the test's output. */
  private static final List<String> TABLE = new CopyOnWriteArrayList<>();

  private String how = "";

  @BeforeEach
  void nameOf(TestInfo test) {
    how = test.getDisplayName().replaceAll("\\(\\)$", "");
  }

  private void note(PluginStatus status) {
    TABLE.add(
        "| %s | %s | %s |"
            .formatted(how, status.state(), status.reason().replace(folder.toString(), "plugins")));
  }

  @AfterAll
  static void printTheTable() {
    System.out.println("| JAR | state | reason |\n| --- | --- | --- |");
    TABLE.forEach(System.out::println);
  }

  private void assertOnlyBadFailed(String reason) {
    try (Plugins plugins = start(PATIENT)) {
      assertThat(plugins.statuses()).hasSize(2);
      PluginStatus bad = plugins.statuses().getFirst();
      note(bad);
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
