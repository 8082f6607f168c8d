// SPDX-License-Identifier: Apache-2.0
package dev.consort.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code consort verify} on the template's JAR, and on one that ends its process. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a POSIX shell script")
class VerifyIT {
  private static final Path LAUNCHER = Path.of(System.getProperty("launcher"));
  private static final Path HOME = Path.of(System.getProperty("home"));
  private static final Path TEMPLATE = Path.of(System.getProperty("template"));

  /** The template, but compiling a multiplication ends the process, as a bad driver would. */
  private static final String CRASHING =
      """
      package dev.consort.template;

      import dev.consort.api.Backend;
      import dev.consort.api.Device;
      import dev.consort.api.Graph;
      import dev.consort.spi.BackendProvider;
      import dev.consort.spi.PluginContext;
      import dev.consort.spi.Registration;
      import java.lang.foreign.FunctionDescriptor;
      import java.lang.foreign.Linker;
      import java.lang.foreign.MemorySegment;
      import java.lang.foreign.ValueLayout;
      import java.lang.reflect.InvocationTargetException;
      import java.lang.reflect.Method;
      import java.lang.reflect.Proxy;
      import java.util.List;

      public final class CrashingProvider implements BackendProvider {
        @Override
        public String name() {
          return "template";
        }

        @Override
        public Registration register(PluginContext context) {
          Device sound = new TemplateProvider().register(context).devices().getFirst();
          return Registration.of("0.1.0", List.of(wrap(Device.class, sound)), () -> {});
        }

        private static <T> T wrap(Class<T> type, T sound) {
          return type.cast(
              Proxy.newProxyInstance(
                  type.getClassLoader(),
                  new Class<?>[] {type},
                  (proxy, method, arguments) -> call(sound, method, arguments)));
        }

        private static Object call(Object sound, Method method, Object[] arguments)
            throws Throwable {
          if (method.getName().equals("compile")
              && ((Graph) arguments[0])
                  .nodes().stream().anyMatch(node -> node.operation().label().equals("mul"))) {
            Linker linker = Linker.nativeLinker();
            linker
                .downcallHandle(
                    linker.defaultLookup().find("strlen").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS))
                .invoke(MemorySegment.ofAddress(1));
          }
          try {
            Object result = method.invoke(sound, arguments);
            return result instanceof Backend stream ? wrap(Backend.class, stream) : result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        }
      }
      """;

  @TempDir Path folder;

  private record Result(int exit, String out, String err) {}

  @Test
  void aStrangersJarIsRefusedInAPipe() throws Exception {
    Result result = verify(TEMPLATE);
    assertThat(result.exit()).isEqualTo(8);
    assertThat(result.err()).contains("listed in no plugins.lock", "SHA-256 ", "--trust ");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void theTemplatePasses() throws Exception {
    Result result = verify(TEMPLATE, "--yes", "--sections", "Registration,Plans,Hostile");
    assertThat(result.exit()).as(result.out() + result.err()).isZero();
    assertThat(result.out())
        .contains("Registration", "Hostile", "template 0.1.0 passes on template:0", "set_rows");
  }

  @Test
  void aPluginThatEndsItsProcessIsARedResultAndTheRestGoesOn() throws Exception {
    Result result = verify(crashing(), "--yes", "--sections", "Operations,Ordering");
    assertThat(result.exit()).as(result.out() + result.err()).isEqualTo(11);
    assertThat(result.out())
        .contains("crashed: Operations mul", "SIGSEGV", "Ordering", "does not pass");
  }

  @Test
  void whatIsNoPluginIsRefusedWithTheReason() throws Exception {
    Path text = Files.writeString(folder.resolve("text.jar"), "no JAR");
    Result result = verify(text, "--yes");
    assertThat(result.exit()).as(result.err()).isEqualTo(8);
    assertThat(result.err()).contains("text.jar");
    assertThat(verify(folder.resolve("none.jar")).exit()).isEqualTo(3);
  }

  private Path crashing() throws IOException {
    Path source = folder.resolve("CrashingProvider.java");
    Files.writeString(source, CRASHING);
    Path classes = Files.createDirectories(folder.resolve("classes"));
    String classPath =
        TEMPLATE
            + ":"
            + HOME.resolve("lib/consort-api.jar")
            + ":"
            + HOME.resolve("lib/consort-spi.jar")
            + ":"
            + HOME.resolve("lib/jspecify.jar");
    int failed =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-d", classes.toString(), "-cp", classPath, source.toString());
    assertThat(failed).isZero();
    Path jar = folder.resolve("crashing.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().putValue("Manifest-Version", "1.0");
    manifest.getMainAttributes().putValue("Consort-Spi-Version", "1.0");
    try (JarFile from = new JarFile(TEMPLATE.toFile());
        JarOutputStream to = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      for (JarEntry entry : from.stream().filter(e -> e.getName().endsWith(".class")).toList()) {
        write(to, entry.getName(), from.getInputStream(entry).readAllBytes());
      }
      String crashing = "dev/consort/template/CrashingProvider.class";
      write(to, crashing, Files.readAllBytes(classes.resolve(crashing)));
      write(
          to,
          "META-INF/services/dev.consort.spi.BackendProvider",
          "dev.consort.template.CrashingProvider\n".getBytes(StandardCharsets.UTF_8));
    }
    return jar;
  }

  private static void write(JarOutputStream jar, String name, byte[] bytes) throws IOException {
    jar.putNextEntry(new JarEntry(name));
    jar.write(bytes);
    jar.closeEntry();
  }

  private Result verify(Path jar, String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString(), "verify", jar.toString()));
    command.addAll(List.of(options));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().putAll(Map.of("CONSORT_CACHE", folder.resolve("cache").toString()));
    Process process = builder.start();
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("verify did not end: " + Files.readString(err));
    }
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }
}
