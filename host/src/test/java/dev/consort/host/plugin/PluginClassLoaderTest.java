// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a plugin reads of its JAR leaves nothing open when the plugin is gone. */
class PluginClassLoaderTest {
  private static final String NAME = "a folder/some.text";

  @TempDir Path folder;
  private Path jar;

  @BeforeEach
  void writeJar() throws IOException {
    jar = folder.resolve("a plugin.jar");
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      out.putNextEntry(new ZipEntry(NAME));
      out.write("found".getBytes(StandardCharsets.UTF_8));
    }
  }

  private PluginClassLoader open() throws IOException {
    ClassLoader parent = ClassLoader.getPlatformClassLoader();
    return new PluginClassLoader("a", jar, jar.toUri().toURL(), parent, () -> folder);
  }

  @Test
  void resourcesAreReadWithoutTheCacheOfOpenJars() throws IOException {
    try (PluginClassLoader loader = open()) {
      List<URL> found = new ArrayList<>(Collections.list(loader.getResources(NAME)));
      found.add(loader.getResource(NAME));
      assertThat(found).hasSize(2);
      for (URL url : found) {
        assertThat(url.openConnection().getUseCaches()).isFalse();
        try (InputStream in = url.openStream()) {
          assertThat(in).hasContent("found");
        }
      }
      try (InputStream in = loader.getResourceAsStream(NAME)) {
        assertThat(in).hasContent("found");
      }
    }
  }

  @Test
  void whatIsMissingIsNotFound() throws IOException {
    try (PluginClassLoader loader = open()) {
      assertThat(loader.getResource("other")).isNull();
      assertThat(loader.getResourceAsStream("other")).isNull();
      assertThat(Collections.list(loader.getResources("other"))).isEmpty();
    }
  }
}
