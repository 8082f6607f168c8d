// SPDX-License-Identifier: Apache-2.0
package dev.consort.archetype;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the archetype makes is a plugin under the names that were asked for. */
class ArchetypeTest {
  private static final Path RESOURCES = Path.of("target", "classes", "archetype-resources");
  private static final Map<String, String> NAMES =
      Map.of(
          "${package}", "org.example.fancy",
          "${prefix}", "Fancy",
          "__prefix__", "Fancy",
          "${name}", "fancy",
          "__name__", "fancy",
          "${groupId}", "org.example",
          "${artifactId}", "fancy-plugin",
          "${version}", "1.0-SNAPSHOT");

  @TempDir Path project;

  @BeforeEach
  void generate() throws IOException {
    for (Path file : files(RESOURCES)) {
      String place = RESOURCES.relativize(file).toString();
      if (place.matches("src/(main|test)/java/.*")) {
        place = place.replace("java/", "java/org/example/fancy/");
      }
      Path to = project.resolve(named(place));
      Files.createDirectories(to.getParent());
      Files.writeString(to, named(Files.readString(file)));
    }
  }

  private static String named(String text) {
    for (Map.Entry<String, String> name : NAMES.entrySet()) {
      text = text.replace(name.getKey(), name.getValue());
    }
    return text;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void nothingIsCalledATemplateAnyMore() throws IOException {
    for (Path file : files(project)) {
      assertThat(file.getFileName().toString()).doesNotContainIgnoringCase("template");
      assertThat(Files.readString(file)).as("%s", file).doesNotContainIgnoringCase("template");
    }
  }

  @Test
  void theDeclarationIsNamedAfterThePlugin() {
    assertThat(project.resolve("src/main/resources/META-INF/consort/fancy.declaration")).exists();
  }

  @Test
  void thePomHasItsOwnCoordinatesAndThisProjectAsParent() throws IOException {
    assertThat(Files.readString(project.resolve("pom.xml")))
        .contains(
            "<relativePath/>",
            "<groupId>org.example</groupId>",
            "<artifactId>fancy-plugin</artifactId>",
            "<version>1.0-SNAPSHOT</version>",
            "<artifactId>consort-tck</artifactId>",
            "<artifactId>maven-shade-plugin</artifactId>");
  }

  @Test
  void theSourcesCompileAndTheDeviceIsListedUnderItsName() throws Exception {
    Path classes = compile();
    Path resources = project.resolve("src/main/resources/");
    URL[] place = {classes.toUri().toURL(), resources.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(place, getClass().getClassLoader())) {
      BackendProvider provider =
          ServiceLoader.load(BackendProvider.class, loader).stream()
              .filter(found -> found.type().getName().equals("org.example.fancy.FancyProvider"))
              .map(ServiceLoader.Provider::get)
              .findFirst()
              .orElseThrow();
      Registration registration = provider.register(new Nothing(project));
      assertThat(registration.devices())
          .map(Device::info)
          .map(info -> info.id())
          .containsExactly("fancy:0");
    }
  }

  private Path compile() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Path classes = Files.createDirectories(project.resolve("classes"));
    StringWriter messages = new StringWriter();
    List<Path> sources = new ArrayList<>(files(project.resolve("src")));
    sources.removeIf(file -> !file.toString().endsWith(".java"));
    assertThat(sources).hasSizeGreaterThan(8);
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      boolean done =
          compiler
              .getTask(
                  messages,
                  manager,
                  null,
                  List.of("-d", classes.toString(), "-proc:none"),
                  null,
                  manager.getJavaFileObjectsFromPaths(sources))
              .call();
      assertThat(done).as("%s", messages).isTrue();
    }
    return classes;
  }

  private record Nothing(Path nativeDirectory) implements PluginContext {
    @Override
    public Optional<String> setting(String key) {
      return Optional.empty();
    }
  }
}
