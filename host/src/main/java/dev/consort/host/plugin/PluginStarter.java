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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Takes one generation from found to probed on a thread of its own and never throws because of it:
 * whatever a plugin does wrong becomes a reason. A thread that does not come back in time is
 * interrupted and given up; if it comes back later, what it brings is closed.
 */
final class PluginStarter {
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]+");

  private final Generation generation;
  private final Map<String, String> settings;
  private final CountDownLatch done = new CountDownLatch(1);
  private final long deadline;
  private final Thread thread;

  private PluginStarter(Generation generation, Map<String, String> settings, Duration limit) {
    this.generation = generation;
    this.settings = settings;
    this.deadline = System.nanoTime() + limit.toNanos();
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("consort-plugin-" + generation.candidate().label())
            .unstarted(this::run);
  }

  /** Starts the plugin on a new thread and returns at once. */
  static PluginStarter start(Generation generation, Map<String, String> settings, Duration limit) {
    var starter = new PluginStarter(generation, settings, limit);
    starter.thread.start();
    return starter;
  }

  /** Waits until the generation is probed or has failed, at most until its time limit. */
  void await(Duration limit) {
    try {
      if (!done.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
        giveUp("%s took longer than %d ms; it was given up".formatted(doing(), limit.toMillis()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      giveUp("the start was interrupted");
    }
  }

  private void giveUp(String why) {
    generation.fail(why, Optional.empty());
    thread.interrupt();
  }

  private String doing() {
    return switch (generation.state()) {
      case FOUND -> "reading and checking it";
      case VERIFIED -> "loading its provider";
      default -> "register()";
    };
  }

  private void run() {
    try {
      start();
      generation.started();
    } catch (Throwable e) {
      generation.started();
      generation.fail(Containment.reason(doing(), e), Optional.of(e));
    } finally {
      done.countDown();
    }
  }

  private void start() {
    VerifiedPlugin verified = generation.candidate().verify();
    generation.atEnd(verified.close());
    generation.verified(verified);
    OpenPlugin plugin = verified.loader().load();
    generation.atEnd(plugin.close());
    ClassLoader loader = plugin.provider().getClass().getClassLoader();
    generation.loaded(loader);
    Thread.currentThread().setContextClassLoader(loader);
    String name = checkName(plugin.provider().name());
    generation.resolved(name);
    Registration registration =
        present(plugin.provider().register(new Context(name, plugin, settings)));
    generation.atEnd(registration.close());
    JarCheck.checkSpi(registration.spiVersion());
    verified.locked().ifPresent(locked -> checkLock(locked, name, registration.version()));
    checkDevices(name, registration.devices());
    generation.probed(registration.version(), registration.devices());
    if (registration.devices().isEmpty()) {
      String why = registration.unavailable();
      generation.unavailable(why.isEmpty() ? "found no device and gave no reason" : why);
    }
  }

  private static Registration present(@Nullable Registration registration) {
    if (registration == null) {
      throw new Containment.Refusal("register() returned null instead of a registration");
    }
    return registration;
  }

  private static String checkName(@Nullable String name) {
    if (name == null || !NAME.matcher(name).matches()) {
      throw new Containment.Refusal(
          "its name is \"%s\"; a name has lower-case letters, digits and hyphens only"
              .formatted(name));
    }
    return name;
  }

  private static void checkLock(LockedPlugin locked, String name, String version) {
    require(
        locked.name().equals(name) && locked.version().equals(version),
        "%s lists this file as %s %s, but it calls itself %s %s; write the lock again with consort plugins lock"
            .formatted(PluginsLock.FILE, locked.name(), locked.version(), name, version));
  }

  private static void checkDevices(String name, List<Device> devices) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < devices.size(); i++) {
      DeviceInfo info = devices.get(i).info();
      require(info != null, "info() of its device number %d returned null".formatted(i));
      require(
          name.equals(info.plugin()) && info.index() == i && seen.add(info.id()),
          "its device number %d calls itself %s instead of %s:%d".formatted(i, info.id(), name, i));
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new Containment.Refusal(otherwise);
    }
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
