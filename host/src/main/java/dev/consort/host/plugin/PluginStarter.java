// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts one plugin on a thread of its own and never throws because of it: whatever a plugin does
 * wrong becomes a status with a reason. A thread that does not come back in time is given up; if it
 * comes back later, what it brings is closed.
 */
final class PluginStarter {
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]+");

  private final PluginCandidate candidate;
  private final Map<String, String> settings;
  private final CompletableFuture<StartedPlugin> result = new CompletableFuture<>();
  private volatile long deadline;

  private PluginStarter(PluginCandidate candidate, Map<String, String> settings) {
    this.candidate = candidate;
    this.settings = settings;
  }

  /** Starts the plugin on a new thread and returns at once. */
  static PluginStarter start(
      PluginCandidate candidate, Map<String, String> settings, Duration limit) {
    var starter = new PluginStarter(candidate, settings);
    starter.deadline = System.nanoTime() + limit.toNanos();
    Thread.ofPlatform().daemon().name("consort-plugin-" + candidate.label()).start(starter::run);
    return starter;
  }

  /** Waits for the plugin, at most until its time limit. */
  StartedPlugin await(Duration limit) {
    try {
      return result.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      StartedPlugin late =
          failed(
              "did not start within %d ms; it was given up".formatted(limit.toMillis()),
              Optional.empty());
      return result.complete(late) ? late : result.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      StartedPlugin stopped = failed("the start was interrupted", Optional.empty());
      return result.complete(stopped) ? stopped : result.join();
    } catch (ExecutionException e) {
      return failed(reason(e), Optional.of(e));
    }
  }

  private StartedPlugin failed(String reason, Optional<Throwable> cause) {
    return StartedPlugin.failed(candidate, candidate.label(), reason, cause);
  }

  private void run() {
    StartedPlugin started;
    try {
      started = open();
    } catch (Throwable e) {
      started = failed(reason(e), Optional.of(e));
    }
    if (!result.complete(started)) {
      started.close().run();
    }
  }

  private StartedPlugin open() {
    OpenPlugin plugin = candidate.open();
    String name = candidate.label();
    try {
      Thread.currentThread().setContextClassLoader(plugin.provider().getClass().getClassLoader());
      name = checkName(plugin.provider().name());
      Registration registration = plugin.provider().register(new Context(name, plugin, settings));
      return started(name, plugin, registration);
    } catch (Throwable e) {
      close(plugin.close());
      return StartedPlugin.failed(candidate, name, reason(e), Optional.of(e));
    }
  }

  private StartedPlugin started(String name, OpenPlugin plugin, Registration registration) {
    require(registration != null, "register() returned null instead of a registration");
    Runnable close =
        () -> {
          close(registration.close());
          close(plugin.close());
        };
    try {
      JarCandidate.checkSpi(registration.spiVersion());
      if (registration.devices().isEmpty()) {
        String why = registration.unavailable();
        return new StartedPlugin(
            PluginStatus.unavailable(
                name,
                registration.version(),
                why.isEmpty() ? "found no device and gave no reason" : why,
                candidate.origin()),
            close);
      }
      checkDevices(name, registration.devices());
      return new StartedPlugin(
          PluginStatus.active(
              name, registration.version(), candidate.origin(), registration.devices()),
          close);
    } catch (Throwable e) {
      close(registration.close());
      throw e;
    }
  }

  private static String checkName(String name) {
    require(
        name != null && NAME.matcher(name).matches(),
        "its name is \"%s\"; a name has lower-case letters, digits and hyphens only"
            .formatted(name));
    return name;
  }

  private static void checkDevices(String name, List<Device> devices) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < devices.size(); i++) {
      DeviceInfo info = devices.get(i).info();
      require(
          info.plugin().equals(name) && info.index() == i && seen.add(info.id()),
          "its device number %d calls itself %s instead of %s:%d".formatted(i, info.id(), name, i));
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }

  /** What to tell people: the text of our own errors, the kind and text of all others. */
  private static String reason(Throwable error) {
    Throwable shown =
        error instanceof java.util.ServiceConfigurationError && error.getCause() != null
            ? error.getCause()
            : error;
    return shown instanceof dev.consort.api.ConsortException
            || shown.getClass() == IllegalStateException.class
        ? String.valueOf(shown.getMessage())
        : shown.toString();
  }

  private static void close(Runnable part) {
    try {
      part.run();
    } catch (Throwable e) {
      log().warn("a plugin failed while it was closed", e);
    }
  }

  private static Logger log() {
    return LoggerFactory.getLogger(PluginStarter.class);
  }

  private record Context(String name, OpenPlugin plugin, Map<String, String> settings)
      implements PluginContext {
    @Override
    public Path nativeDirectory() {
      return plugin.nativeDirectory().get();
    }

    @Override
    public Optional<String> setting(String key) {
      return Optional.ofNullable(settings.get(name + "." + key));
    }
  }
}
