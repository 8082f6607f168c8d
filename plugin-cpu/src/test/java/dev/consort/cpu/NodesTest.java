// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.ProcAddresses;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes of a machine as devices. */
class NodesTest {
  @TempDir Path folder;

  @Test
  void nodesAreReadWithTheCoresThatMayBeUsed() throws IOException {
    node(1, "4-7");
    node(0, "0-3,8");
    node(2, "");
    Path status =
        Files.writeString(folder.resolve("status"), "Name:\tx\nCpus_allowed_list:\t1-5\n");
    Topology topology = Topology.read(folder, status);
    assertThat(topology.nodes()).extracting(Topology.Node::number).containsExactly(0, 1);
    assertThat(topology.nodes())
        .extracting(Topology.Node::cores)
        .containsExactly(List.of(1, 2, 3), List.of(4, 5));
    assertThat(topology.nodes().getLast().memory()).containsExactly(3 << 10, 8 << 10);
  }

  @Test
  void aSystemThatSaysNothingHasNoNodes() {
    Path nowhere = folder.resolve("nowhere");
    assertThat(Topology.read(nowhere, nowhere).nodes()).isEmpty();
  }

  @Test
  void eachNodeIsADeviceOfItsOwnMemory() throws IOException {
    try (Registered registration = register(Map.of())) {
      List<Device> devices = registration.devices();
      assertThat(devices).extracting(d -> d.info().id()).containsExactly("cpu:0", "cpu:1");
      assertThat(devices.get(1).info().name()).endsWith(", node 1");
      assertThat(devices).allSatisfy(d -> assertThat(d.memory().total()).isEqualTo(8 << 10));
    }
  }

  @Test
  void withoutNodesTheMachineIsOneDevice() throws IOException {
    try (Registered registration = register(Map.of("numa", "off"))) {
      assertThat(registration.devices()).extracting(d -> d.info().id()).containsExactly("cpu:0");
      assertThat(registration.devices().getFirst().info().name()).doesNotContain("node");
    }
  }

  @Test
  void anotherWordForNodesIsRefused() {
    assertThatThrownBy(() -> register(Map.of("numa", "maybe")))
        .hasMessageContaining("maybe")
        .hasMessageContaining("on or off");
  }

  @Test
  @Timeout(30)
  void threadsStayOnTheCoresOfTheirNode() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/proc/self/task")));
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one core alone");
    try (Registered registration = register(Map.of())) {
      for (Device device : registration.devices()) {
        try (Backend backend = device.createBackend()) {
          backend.synchronize();
          assertThat(device.find(ProcAddresses.SET_N_THREADS).orElseThrow().threads()).isEqualTo(1);
        }
      }
      Map<String, String> expected = Map.of("consort-cpu:0-0", "0", "consort-cpu:1-0", "1");
      while (!coresOfThreads().entrySet().containsAll(expected.entrySet())) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void memoryOfTheCallerIsNoMemoryOfANode() throws IOException {
    try (Registered registration = register(Map.of());
        Arena arena = Arena.ofConfined()) {
      var wrapping = registration.devices().getFirst().find(ProcAddresses.BUFFER_FROM_HOST_PTR);
      assertThat(wrapping.flatMap(w -> w.wrap(arena.allocate(64)))).isEqualTo(Optional.empty());
    }
  }

  /** The cores that the system lets each named thread run on. */
  private static Map<String, String> coresOfThreads() throws IOException {
    Map<String, String> cores = new TreeMap<>();
    try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
      for (Path thread : threads.toList()) {
        String name = "";
        for (String line : Files.readAllLines(thread.resolve("status"))) {
          if (line.startsWith("Name:")) {
            name = line.substring(5).strip();
          } else if (line.startsWith("Cpus_allowed_list:")) {
            cores.put(name, line.substring(18).strip());
          }
        }
      }
    }
    return cores;
  }

  private Registered register(Map<String, String> settings) throws IOException {
    node(0, "0");
    node(1, "1");
    var provider = new CpuProvider(() -> Topology.read(folder, folder.resolve("nowhere")));
    Path natives = folder;
    return new Registered(
        provider.register(
            new PluginContext() {
              @Override
              public Path nativeDirectory() {
                return natives;
              }

              @Override
              public Optional<String> setting(String key) {
                return Optional.ofNullable(settings.get(key));
              }
            }));
  }

  private record Registered(Registration registration) implements AutoCloseable {
    List<Device> devices() {
      return registration.devices();
    }

    @Override
    public void close() {
      registration.close().run();
    }
  }

  private void node(int number, String cores) throws IOException {
    Path node = Files.createDirectories(folder.resolve("node" + number));
    Files.writeString(node.resolve("cpulist"), cores + "\n");
    Files.writeString(
        node.resolve("meminfo"),
        "Node 1 MemTotal: 8 kB\nNode 1 MemFree: 2 kB\nNode 1 FilePages: 1 kB\n");
  }
}
