// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A plugin that was closed leaves the memory, though the threads that called it live on. */
@ExtendWith(Rig.Closing.class)
class UnloadTest {
  @TempDir Path natives;

  @Test
  void what_was_used_and_closed_is_collected() throws Exception {
    Rig.devices();
    WeakReference<ClassLoader> loader = use();
    for (int i = 0; i < 50 && !loader.refersTo(null); i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(loader.refersTo(null)).as("whether the plugin's class loader is gone").isTrue();
  }

  /** A method of its own, so that no frame refers to the plugin when it is over. */
  private WeakReference<ClassLoader> use() throws Exception {
    URLClassLoader loader = new URLClassLoader(classPath(), new Shared());
    BackendProvider provider =
        (BackendProvider)
            loader.loadClass(VulkanProvider.class.getName()).getConstructor().newInstance();
    assertThat(provider.getClass()).isNotEqualTo(VulkanProvider.class);
    // As the host does it, on a thread that ends.
    FutureTask<Registration> registering = new FutureTask<>(() -> provider.register(context()));
    Thread.ofPlatform().start(registering).join();
    Registration registration = registering.get();
    registration.devices().forEach(UnloadTest::run);
    registration.close().run();
    loader.close();
    return new WeakReference<>(loader);
  }

  /** What an engine does, on this thread. */
  private static void run(Device device) {
    GraphBuilder builder = new GraphBuilder();
    Tensor w = builder.weight("w", DataType.F32, Shape.of(64, 64));
    Tensor x = builder.input("x", DataType.F32, Shape.of(64, 2));
    Tensor y = builder.output(builder.matMul(w, x));
    assertThat(device.memory().total()).isPositive();
    try (Rig.Run run = new Rig.Run(device, builder.build(), List.of());
        Backend other = device.createBackend();
        Event event = device.createEvent();
        Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(x.bytes(), 64);
      run.backend.set(run.allocation.storage(x), 0, bytes);
      run.backend.submit(run.plan);
      run.backend.record(event);
      other.await(event);
      event.await(Duration.ofSeconds(30));
      run.backend.get(run.allocation.storage(y), 0, bytes);
      run.backend.synchronize();
      other.synchronize();
    }
  }

  private PluginContext context() {
    return new PluginContext() {
      @Override
      public Path nativeDirectory() {
        return natives;
      }

      @Override
      public Optional<String> setting(String key) {
        return Optional.empty();
      }
    };
  }

  private static URL[] classPath() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      urls.add(new File(entry).toURI().toURL());
    }
    return urls.toArray(URL[]::new);
  }

  /** Shows a plugin what a host shows it. */
  private static final class Shared extends ClassLoader {
    private static final List<String> PACKAGES =
        List.of("dev.consort.api.", "dev.consort.spi.", "org.slf4j.", "org.jspecify.");

    Shared() {
      super(ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (PACKAGES.stream().anyMatch(name::startsWith)) {
        return UnloadTest.class.getClassLoader().loadClass(name);
      }
      throw new ClassNotFoundException(name);
    }
  }
}
