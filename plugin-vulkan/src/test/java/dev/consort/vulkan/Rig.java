// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;

/** The devices of this machine, and graphs run on them the long way. */
final class Rig {
  private static final List<VulkanDevice> TUNED = new CopyOnWriteArrayList<>();
  private static final Registration REGISTRATION = register();

  private Rig() {}

  /** Closes the devices when all tests have run: a driver may crash a JVM that exits with them. */
  static final class Closing implements BeforeAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
      context
          .getRoot()
          .getStore(ExtensionContext.Namespace.GLOBAL)
          .getOrComputeIfAbsent(Closing.class, key -> (CloseableResource) Rig::close);
    }
  }

  private static void close() {
    TUNED.forEach(VulkanDevice::close);
    REGISTRATION.close().run();
  }

  private static Registration register() {
    try {
      Path natives = Files.createTempDirectory("consort-vulkan-test");
      var registration =
          new VulkanProvider()
              .register(
                  new PluginContext() {
                    @Override
                    public Path nativeDirectory() {
                      return natives;
                    }

                    @Override
                    public Optional<String> setting(String key) {
                      return Optional.empty();
                    }
                  });
      Runtime.getRuntime().addShutdownHook(new Thread(registration.close()));
      return registration;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static Registration registration() {
    return REGISTRATION;
  }

  /** All devices; the test is skipped, with the plugin's own reason, where there are none. */
  static Stream<Device> devices() {
    Assumptions.assumeFalse(
        REGISTRATION.devices().isEmpty(), "no Vulkan: " + REGISTRATION.unavailable());
    return REGISTRATION.devices().stream();
  }

  /** All devices, tuned as if they were hardware. */
  static Stream<Device> devicesAsGpus() {
    return devices()
        .map(
            device -> {
              var adapter = ((VulkanDevice) device).adapter();
              var tuned = new VulkanDevice(adapter, 0, Tuning.gpu(adapter.limits()));
              TUNED.add(tuned);
              return tuned;
            });
  }

  /** A graph that is ready to run on a device. */
  static final class Run implements AutoCloseable {
    final Backend backend;
    final Allocation allocation;
    final Optional<Buffer> scratch;
    final Plan plan;

    Run(Device device, Graph graph, Collection<Tensor> more) {
      backend = device.createBackend();
      Schedule schedule = backend.schedule(graph);
      Set<Tensor> tensors = new LinkedHashSet<>();
      graph.leaves().forEach(leaf -> tensors.add(leaf.root()));
      tensors.addAll(schedule.stored(graph));
      tensors.addAll(more);
      Allocation places = device.bufferType().allocate(tensors);
      if (schedule.scratchBytes() > 0) {
        scratch = Optional.of(device.bufferType().allocate(schedule.scratchBytes()));
        places =
            Allocation.join(
                List.of(
                    places,
                    places.withScratch(new Storage(tensors.iterator().next(), scratch.get(), 0))));
        places.buffers();
      } else {
        scratch = Optional.empty();
      }
      allocation = places;
      plan = backend.compile(graph, schedule, places);
    }

    void set(Tensor tensor, byte[] bytes) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocate(Math.max(1, bytes.length), 64);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        backend.set(allocation.storage(tensor), 0, segment.asSlice(0, bytes.length));
        backend.synchronize();
      }
    }

    byte[] get(Tensor tensor) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocate(Math.max(1, tensor.bytes()), 64);
        backend.get(allocation.storage(tensor), 0, segment.asSlice(0, tensor.bytes()));
        backend.synchronize();
        return segment.asSlice(0, tensor.bytes()).toArray(ValueLayout.JAVA_BYTE);
      }
    }

    float[] floats(Tensor tensor) {
      return Data.floats(get(tensor));
    }

    @Override
    public void close() {
      plan.close();
      backend.close();
      List<Buffer> buffers = new ArrayList<>(allocation.buffers());
      allocation.storages().forEach(storage -> buffers.add(storage.buffer()));
      buffers.forEach(Buffer::close);
      scratch.ifPresent(Buffer::close);
    }
  }

  /** Runs a graph with the given leaves and returns one tensor. */
  static byte[] run(Device device, Graph graph, Map<Tensor, byte[]> leaves, Tensor output) {
    try (Run run = new Run(device, graph, List.of())) {
      leaves.forEach(run::set);
      run.backend.submit(run.plan);
      return run.get(output);
    }
  }
}
