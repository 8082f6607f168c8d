// SPDX-License-Identifier: Apache-2.0
package dev.consort.dist;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a POSIX shell script")
class LauncherIT {
  private static final Path LAUNCHER = Path.of(System.getProperty("launcher"));
  private static final Path HOME = Path.of(System.getProperty("home"));

  @TempDir Path folder;

  private record Result(int exit, String out, String err) {}

  @Test
  void theDemoModelAnswersWithTwoMembersOnTheCpu() throws Exception {
    Result run = start(LAUNCHER, Map.of(), "run", "--devices", "cpu:0*2");
    assertThat(run.exit()).as(run.err()).isZero();
    assertThat(run.out().strip()).isEqualTo("623");
    assertThat(run.err()).contains("split tensor, 12 reduces per token");
  }

  @Test
  void everyPluginOfTheDistributionLoads() throws Exception {
    Result plugins = start(LAUNCHER, Map.of(), "plugins", "-o", "csv");
    assertThat(plugins.out()).contains("cpu,", "vulkan,").doesNotContain("FAILED");
    Result devices = start(LAUNCHER, Map.of(), "devices");
    assertThat(devices.out()).contains("cpu:0");
  }

  @Test
  void everyPluginOfTheDistributionRunsAsABundleToo() throws Exception {
    Path none = Files.createDirectory(folder.resolve("none"));
    Result plugins =
        start(
            LAUNCHER,
            Map.of(),
            "plugins",
            "--plugins",
            none.toString(),
            "--bundles",
            HOME.resolve("plugins").toString(),
            "-o",
            "csv");
    assertThat(plugins.out()).contains("cpu:0,osgi,", "vulkan,").doesNotContain("FAILED");
    Result run =
        start(
            LAUNCHER,
            Map.of(),
            "run",
            "--devices",
            "cpu:0",
            "--plugins",
            none.toString(),
            "--bundles",
            HOME.resolve("plugins").toString());
    assertThat(run.out().strip()).as(run.err()).isEqualTo("623");
  }

  @Test
  void aSecondStartUsesAnArchiveAndSaysNothingOfIt() throws Exception {
    Result first = start(LAUNCHER, Map.of(), "plugins");
    try (Stream<Path> archives = Files.list(folder.resolve("cache/cds"))) {
      assertThat(archives).hasSize(1);
    }
    Result second = start(LAUNCHER, Map.of(), "plugins");
    assertThat(first.err()).doesNotContain("cds", "archive");
    assertThat(second).isEqualTo(first);
  }

  @Test
  void kernelsInJavaGetTheVectorApiAndOnlyThey() throws Exception {
    String module = "jdk.incubator.vector";
    Result java = start(LAUNCHER, Map.of(), "devices", "--set", "cpu.path=portable");
    assertThat(java.err()).contains(module);
    Result c = start(LAUNCHER, Map.of(), "devices", "-o", "csv");
    assertThat(c.err().contains(module)).isEqualTo(c.out().contains("portable"));
  }

  @Test
  void theLauncherWorksThroughALinkFromAnyFolder() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("linked"), LAUNCHER.toRealPath());
    assertThat(start(link, Map.of(), "--version").out()).contains("consort");
  }

  @Test
  void aLauncherWithoutABuildSaysHowToBuild() throws Exception {
    Path alone = Files.copy(LAUNCHER, folder.resolve("consort"));
    Result result = start(alone, Map.of(), "devices");
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err()).contains("mvn -q -DskipTests package");
  }

  @Test
  void aJavaThatIsNoneIsNamed() throws Exception {
    Result result = start(LAUNCHER, Map.of("CONSORT_JAVA", "/nowhere/java"), "devices");
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err()).contains("/nowhere/java");
  }

  @Test
  void promptsAndAnswersAreUtf8InAnyLocale() throws Exception {
    Result result =
        start(
            LAUNCHER,
            Map.of("LC_ALL", "C", "LANG", "C"),
            "run",
            "-p",
            "Zürich",
            "-n",
            "1",
            "--devices",
            "cpu:0");
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.err()).startsWith("Zürich");
  }

  @Test
  void exitCodesReachTheShell() throws Exception {
    assertThat(start(LAUNCHER, Map.of(), "run", "--devices", "cpu:99").exit()).isEqualTo(3);
  }

  @Test
  void pluginsOfTheBuildNameTheSpiThatTheyWereMadeFor() throws IOException {
    try (Stream<Path> jars = Files.list(HOME.resolve("plugins"))) {
      List<Path> found = jars.toList();
      assertThat(found).hasSizeGreaterThanOrEqualTo(2);
      for (Path jar : found) {
        try (JarFile file = new JarFile(jar.toFile())) {
          var attributes = file.getManifest().getMainAttributes();
          assertThat(attributes.getValue("Consort-Spi-Version"))
              .isEqualTo(SpiVersion.CURRENT.toString());
          assertThat(file.isMultiRelease()).isTrue();
          assertThat(file.stream().map(Object::toString))
              .noneMatch(name -> name.startsWith("dev/consort/api/") || name.contains("slf4j"));
        }
      }
    }
  }

  private Result start(Path launcher, Map<String, String> variables, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(args));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("CONSORT_CACHE", folder.resolve("cache").toString());
    builder.environment().putAll(variables);
    Process process = builder.start();
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("the launcher did not end: " + Files.readString(err));
    }
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }
}
