// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Makes plugin JARs, whole and broken, from source text. */
public final class PluginJar {
  /** A provider named NAME with one device; register() first runs BODY. */
  private static final String PROVIDER =
      """
      package third.party;
      import dev.consort.api.*;
      import dev.consort.spi.*;
      import java.util.*;
      public class NAMEProvider implements BackendProvider {
        public String name() { return "NAME"; }
        public Registration register(PluginContext context) {
          BODY
          return Registration.of("1.2", List.of(new Only("NAME", 0)), () -> {});
        }
        record Only(String plugin, int index) implements Device {
          public DeviceInfo info() {
            return new DeviceInfo(plugin, index, "toy", DeviceKind.ACCEL, false, "", "toy");
          }
          public DeviceMemory memory() { return new DeviceMemory(1, 2); }
          public BufferType bufferType() { throw new IllegalStateException("a toy"); }
          public Support supports(Tensor node) { throw new IllegalStateException("a toy"); }
          public Backend createBackend() { throw new IllegalStateException("a toy"); }
          public Event createEvent() { throw new IllegalStateException("a toy"); }
          public <T> Optional<T> find(ProcAddress<T> address) { return Optional.empty(); }
        }
      }
      """;

  private final Map<String, String> sources = new LinkedHashMap<>();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();
  private final StringBuilder services = new StringBuilder();
  private final Attributes manifest = new Attributes();
  private String removed = "";

  /** A JAR with nothing in it. */
  public static PluginJar empty() {
    return new PluginJar().manifest("Consort-Spi-Version", SpiVersion.CURRENT.toString());
  }

  /** A plugin that works. */
  public static PluginJar working(String name) {
    return with(name, "");
  }

  /** A plugin that works and calls itself so. */
  public static PluginJar ofVersion(String name, String version) {
    return with(
        name,
        "if (true) return Registration.of(\"%s\", List.of(new Only(\"%s\", 0)), () -> {});"
            .formatted(version, name));
  }

  /** A plugin whose register() runs {@code body} first. */
  public static PluginJar with(String name, String body) {
    return empty()
        .manifest("Bundle-ManifestVersion", "2")
        .manifest("Bundle-SymbolicName", "third.party." + name)
        .manifest("Import-Package", "dev.consort.api,dev.consort.spi")
        .source(
            "third.party." + name + "Provider",
            PROVIDER.replace("NAME", name).replace("BODY", body))
        .service("third.party." + name + "Provider");
  }

  public PluginJar source(String className, String text) {
    sources.put(className, text);
    return this;
  }

  public PluginJar service(String className) {
    services.append(className).append('\n');
    return this;
  }

  public PluginJar entry(String name, byte[] content) {
    entries.put(name, content);
    return this;
  }

  /** Sets a line of the manifest, or takes it out. */
  public PluginJar manifest(String key, @Nullable String value) {
    if (value == null) {
      manifest.remove(new Attributes.Name(key));
    } else {
      manifest.putValue(key, value);
    }
    return this;
  }

  public PluginJar withoutService(String className) {
    int at = services.indexOf(className + "\n");
    services.delete(at, at + className.length() + 1);
    return this;
  }

  /** Compiles against the class but leaves it out, as a bad packaging would. */
  public PluginJar without(String className) {
    removed = className.replace('.', '/') + ".class";
    return this;
  }

  public Path write(Path file) throws IOException {
    Path classes = Files.createTempDirectory("plugin-classes");
    compile(classes);
    Manifest head = new Manifest();
    head.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    head.getMainAttributes().putAll(manifest);
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out, head);
        Stream<Path> compiled = Files.walk(classes)) {
      for (Path path : compiled.filter(Files::isRegularFile).toList()) {
        String name = classes.relativize(path).toString().replace('\\', '/');
        if (!name.equals(removed)) {
          put(jar, name, Files.readAllBytes(path));
        }
      }
      if (!services.isEmpty()) {
        put(
            jar,
            "META-INF/services/dev.consort.spi.BackendProvider",
            services.toString().getBytes(StandardCharsets.UTF_8));
      }
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        put(jar, entry.getKey(), entry.getValue());
      }
    }
    return file;
  }

  private static void put(JarOutputStream jar, String name, byte[] content) throws IOException {
    jar.putNextEntry(new ZipEntry(name));
    jar.write(content);
    jar.closeEntry();
  }

  private void compile(Path classes) {
    if (sources.isEmpty()) {
      return;
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<JavaFileObject> units =
        sources.entrySet().stream().<JavaFileObject>map(Source::new).toList();
    boolean ok =
        compiler
            .getTask(
                null,
                null,
                problem -> {
                  if (problem.getKind() == javax.tools.Diagnostic.Kind.ERROR) {
                    throw new IllegalStateException(problem.toString());
                  }
                },
                List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path")),
                null,
                units)
            .call();
    if (!ok) {
      throw new IllegalStateException("the test's plugin source does not compile");
    }
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(Map.Entry<String, String> source) {
      super(URI.create("string:///" + source.getKey().replace('.', '/') + ".java"), Kind.SOURCE);
      text = source.getValue();
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
