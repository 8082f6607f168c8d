// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify.fork;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.Admission;
import dev.consort.host.plugin.JarSource;
import dev.consort.host.plugin.OpenPlugin;
import dev.consort.host.plugin.VerifiedPlugin;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import dev.consort.tck.run.KitListener;
import dev.consort.tck.run.KitResult;
import dev.consort.tck.run.KitRun;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The program of a forked JVM. Arguments: mark, JAR, its SHA-256, the device's index, a section or
 * nothing to list what is there, an operation case to begin behind or nothing, settings. Ends when
 * its standard input does.
 */
public final class VerifyMain {
  private final PrintStream out;
  private final String mark;
  private final Path jar;
  private final String sha256;
  private final int index;
  private final Map<String, String> settings = new LinkedHashMap<>();

  private VerifyMain(PrintStream out, String... args) {
    this.out = out;
    mark = args[0];
    jar = Path.of(args[1]);
    sha256 = args[2];
    index = Integer.parseInt(args[3]);
    for (String setting : List.of(args).subList(6, args.length)) {
      int at = setting.indexOf('=');
      settings.put(setting.substring(0, at), setting.substring(at + 1));
    }
  }

  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    Thread.ofPlatform().daemon().name("consort-parent").start(VerifyMain::endWithParent);
    VerifyMain main = new VerifyMain(out, args);
    try {
      main.run(args[4], Optional.of(args[5]).filter(last -> !last.isEmpty()));
      main.say(Line.of(Line.Kind.ENDED));
    } catch (Throwable e) {
      e.printStackTrace();
      ErrorCode code = e instanceof ConsortException own ? own.code() : ErrorCode.PLUGIN_FAILED;
      String message = e instanceof ConsortException ? e.getMessage() : e.toString();
      main.say(Line.of(Line.Kind.GIVEN_UP, code.name(), String.valueOf(message)));
    }
    System.exit(0);
  }

  private static void endWithParent() {
    try {
      while (System.in.read() >= 0) {
        // Nothing is expected.
      }
    } catch (IOException e) {
      // The other side is gone.
    }
    Runtime.getRuntime().halt(1);
  }

  private synchronized void say(Line line) {
    out.println(line.encode(mark));
    out.flush();
  }

  private void run(String section, Optional<String> after) {
    VerifiedPlugin verified = new JarSource(jar, only(sha256)).find().getFirst().verify();
    OpenPlugin plugin = verified.loader().load();
    try {
      if (section.isEmpty()) {
        list(plugin);
      } else {
        test(section, after, plugin.provider());
      }
    } finally {
      plugin.close().run();
      verified.close().run();
    }
  }

  /** What the user agreed to, and nothing else. */
  private static Admission only(String sha256) {
    return jar -> {
      if (!jar.sha256().equals(sha256)) {
        throw new ConsortException(
            ErrorCode.PLUGIN_FAILED,
            "%s was changed: its SHA-256 is %s and was %s; look at it again"
                .formatted(jar.file(), jar.sha256(), sha256));
      }
      return Optional.empty();
    };
  }

  private void list(OpenPlugin plugin) {
    BackendProvider provider = plugin.provider();
    Thread.currentThread().setContextClassLoader(provider.getClass().getClassLoader());
    Registration registration = provider.register(new Context(plugin.nativeDirectory(), settings));
    try {
      say(
          Line.of(
              Line.Kind.PLUGIN,
              provider.name(),
              registration.version(),
              String.valueOf(KitRun.size())));
      for (Device device : registration.devices()) {
        say(Line.of(Line.Kind.DEVICE, device.info().id(), device.info().name()));
      }
      if (registration.devices().isEmpty()) {
        say(Line.of(Line.Kind.UNAVAILABLE, registration.unavailable()));
      }
      say(new Line(Line.Kind.SECTIONS, KitRun.sections()));
    } finally {
      registration.close().run();
    }
  }

  private void test(String section, Optional<String> after, BackendProvider provider) {
    Declaration declaration = Declaration.of(provider);
    Supplier<BackendProvider> another = () -> another(provider);
    KitRun.run(
        section,
        () -> Subject.of(another, index, settings, declaration),
        after,
        new KitListener() {
          @Override
          public void started(String in, String test) {
            say(Line.of(Line.Kind.STARTED, test));
          }

          @Override
          public void finished(KitResult result) {
            say(
                Line.of(
                    Line.Kind.FINISHED,
                    result.test(),
                    result.verdict().name(),
                    result.reason(),
                    String.valueOf(result.time().toNanos())));
          }
        });
  }

  private static BackendProvider another(BackendProvider provider) {
    try {
      return provider.getClass().getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "%s can't be made again: %s".formatted(provider.getClass().getName(), e),
          e);
    }
  }

  private record Context(Supplier<Path> natives, Map<String, String> settings)
      implements PluginContext {
    @Override
    public Path nativeDirectory() {
      return natives.get();
    }

    @Override
    public Optional<String> setting(String key) {
      return Optional.ofNullable(settings.get(key));
    }
  }
}
