// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.host.Consort;
import dev.consort.host.ConsortOptions;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.plugin.ClassPathSource;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.Lease;
import dev.consort.host.plugin.PluginJar;
import dev.consort.host.plugin.PluginSource;
import dev.consort.host.plugin.PluginState;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.Unload;
import dev.consort.model.Model;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A plugin is replaced again and again while the CPU generates. {@code -Dconsort.swaps=200} makes
 * it a soak, {@code -Dconsort.swapped=FILE} swaps that plugin's JAR, whose devices are used each
 * time.
 */
@Timeout(1800)
class SwapSoakTest {
  private static final int SWAPS = Integer.getInteger("consort.swaps", 12);
  private static final String REAL = System.getProperty("consort.swapped", "");
  private static final int ROWS = 10;
  private static final int[] PROMPT = {5, 17, 90, 3, 44, 2, 8};

  @TempDir Path folder;
  @TempDir Path elsewhere;

  @Test
  void swapsDisturbNothingAndLeaveNothingBehind() throws Exception {
    put(0);
    List<Footprint> footprints = new ArrayList<>();
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger answers = new AtomicInteger();
    int pending;
    try (Consort host = Consort.open(onlyTheCpuAnd(folder));
        Model model = TinyModel.dense()) {
      String swapped = swapped(host).name();
      CompletableFuture<Void> running =
          CompletableFuture.runAsync(() -> generate(host, model, stop, answers));
      try {
        for (int swap = 1; swap <= SWAPS; swap++) {
          swap(host, swap, swapped);
          if (swap % Math.max(1, SWAPS / ROWS) == 0) {
            footprints.add(Footprint.now(swap, pending(host), answers.get()));
          }
          assertThat(running).isNotCompleted();
        }
      } finally {
        stop.set(true);
        running.join();
      }
      pending = pending(host);
    }
    System.out.println(Footprint.HEAD);
    footprints.forEach(System.out::println);
    Footprint warm = footprints.get(footprints.size() / 3);
    Footprint last = footprints.getLast();
    assertThat(answers.get()).isGreaterThan(SWAPS / 4);
    assertThat(last.threads()).isLessThanOrEqualTo(warm.threads() + 2);
    assertThat(last.heapMib()).isLessThanOrEqualTo(warm.heapMib() + 8);
    assertThat(last.residentMib()).isLessThanOrEqualTo(warm.residentMib() + 64);
    if (REAL.isEmpty()) {
      assertThat(pending).as("class loaders that are still in memory").isLessThanOrEqualTo(1);
    }
  }

  private static ConsortOptions onlyTheCpuAnd(Path folder) {
    PluginSource classPath = new ClassPathSource(SwapSoakTest.class.getClassLoader());
    PluginSource cpu =
        () ->
            classPath.find().stream()
                .filter(found -> found.label().startsWith("dev.consort.cpu."))
                .toList();
    return new ConsortOptions(
        List.of(cpu, new FolderSource(folder)), Map.of(), Duration.ofSeconds(60));
  }

  /** Replaces the plugin while its old generation is in use, then lets go of that. */
  private void swap(Consort host, int number, String name) throws IOException {
    PluginStatus before = swapped(host);
    try (Lease lease = Lease.on(before.devices())) {
      use(before.devices());
      put(number);
      host.rescan();
      assertThat(host.pluginHistory())
          .anySatisfy(
              old -> {
                assertThat(old.generation()).isEqualTo(before.generation());
                assertThat(old.state()).isEqualTo(PluginState.DRAINING);
              });
      use(before.devices());
    }
    assertThat(swapped(host).name()).isEqualTo(name);
    assertThat(swapped(host).generation()).isEqualTo(number + 1);
  }

  private static void use(List<Device> devices) {
    if (!REAL.isEmpty()) {
      try (Backend backend = devices.getFirst().createBackend()) {
        backend.synchronize();
      }
    }
  }

  private static PluginStatus swapped(Consort host) {
    return host.plugins().stream()
        .filter(plugin -> plugin.origin().endsWith("swapped.jar"))
        .filter(plugin -> plugin.state() == PluginState.ACTIVE)
        .findFirst()
        .orElseThrow(() -> new AssertionError("nothing is active: " + host.plugins()));
  }

  /** Puts another JAR in the place of the one before, as a careful installer does. */
  private void put(int number) throws IOException {
    Path next = elsewhere.resolve("next.jar");
    Path toy = elsewhere.resolve("toy.jar");
    if (REAL.isEmpty() && !Files.exists(toy)) {
      PluginJar.working("swapped").write(toy);
    }
    copyWithMark(REAL.isEmpty() ? toy : Path.of(REAL), next, number);
    Files.move(next, folder.resolve("swapped.jar"), StandardCopyOption.REPLACE_EXISTING);
  }

  /** The same plugin with one more entry, so that its hash differs. */
  private static void copyWithMark(Path from, Path to, int number) throws IOException {
    try (var in = new java.util.jar.JarFile(from.toFile());
        OutputStream file = Files.newOutputStream(to);
        ZipOutputStream out = new ZipOutputStream(file)) {
      out.setLevel(1);
      for (var entry : java.util.Collections.list(in.entries())) {
        out.putNextEntry(new ZipEntry(entry.getName()));
        in.getInputStream(entry).transferTo(out);
      }
      out.putNextEntry(new ZipEntry("META-INF/swap-" + number));
    }
  }

  /** The same prompt again and again, whose logits must stay what they were. */
  private static void generate(
      Consort host, Model model, AtomicBoolean stop, AtomicInteger answers) {
    EngineOptions options = new EngineOptions(24, 8, 2, DataType.F32, DataType.F32);
    try (Engine engine = Engine.open(model, MetaDevice.even(host.select("cpu:0")), options)) {
      float[] first = {};
      while (!stop.get()) {
        try (Sequence sequence = engine.sequence()) {
          float[] logits =
              sequence.append(PROMPT).toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
          first = first.length == 0 ? logits : first;
          assertThat(logits).isEqualTo(first);
          answers.incrementAndGet();
        }
      }
    }
  }

  private static int pending(Consort host) {
    host.collectPlugins();
    host.collectPlugins();
    return (int)
        host.pluginHistory().stream().filter(old -> old.unload() == Unload.PENDING).count();
  }
}
