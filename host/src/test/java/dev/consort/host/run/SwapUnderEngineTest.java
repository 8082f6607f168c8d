// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.host.Consort;
import dev.consort.host.ConsortOptions;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.PluginSource;
import dev.consort.host.plugin.PluginState;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.Unload;
import dev.consort.model.Model;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The CPU plugin is replaced and removed under an engine that runs on it. */
@Timeout(120)
class SwapUnderEngineTest {
  private static final EngineOptions OPTIONS =
      new EngineOptions(24, 8, 2, DataType.F32, DataType.F32);
  private static final int[] PROMPT = {5, 17, 90, 3, 44};

  /** The ways in which plugins come and go. */
  enum Way {
    FOLDER(FolderSource::new),
    OSGI(FolderSource::ofBundles);

    private final Function<Path, PluginSource> source;

    Way(Function<Path, PluginSource> source) {
      this.source = source;
    }
  }

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void anEngineFinishesOnTheGenerationThatItWasOpenedOn(Way way) throws Exception {
    writeCpuPlugin(1);
    ConsortOptions options =
        new ConsortOptions(List.of(way.source.apply(folder)), Map.of(), Duration.ofSeconds(60));
    try (Consort host = Consort.open(options);
        Model model = TinyModel.dense()) {
      replaceAndRemoveUnderAnEngine(host, model);
      assertThat(unloaded(host)).isEqualTo(2);
    }
  }

  /** A method of its own, so that no frame refers to devices when it is over. */
  private void replaceAndRemoveUnderAnEngine(Consort host, Model model) throws Exception {
    List<Device> first = host.select("cpu:0*2");
    float[] expected;
    try (Engine engine = Engine.open(model, MetaDevice.even(first), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(PROMPT);
      writeCpuPlugin(2);
      host.rescan();
      assertThat(host.plugins())
          .extracting(PluginStatus::state)
          .containsExactly(PluginState.DRAINING, PluginState.ACTIVE);
      expected = logits(sequence, 7);
      try (Engine other = Engine.open(model, MetaDevice.even(host.select("cpu:0*2")), OPTIONS);
          Sequence same = other.sequence()) {
        same.append(PROMPT);
        assertThat(logits(same, 7)).isEqualTo(expected);
        Files.delete(folder.resolve("cpu.jar"));
        host.rescan();
        assertThat(host.plugins())
            .extracting(PluginStatus::state)
            .containsExactly(PluginState.DRAINING, PluginState.DRAINING);
        assertThat(logits(same, 9)).isEqualTo(logits(sequence, 9));
      }
    }
    assertThat(host.plugins()).isEmpty();
    assertThat(host.devices()).isEmpty();
    assertThatThrownBy(() -> Engine.open(model, MetaDevice.even(first), OPTIONS))
        .isInstanceOfSatisfying(
            ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
  }

  private static long unloaded(Consort host) throws InterruptedException {
    long gone = 0;
    for (int i = 0; i < 50 && gone < 2; i++) {
      host.collectPlugins();
      gone = host.pluginHistory().stream().filter(s -> s.unload() == Unload.COLLECTED).count();
      Thread.sleep(20);
    }
    return gone;
  }

  private static float[] logits(Sequence sequence, int token) {
    return sequence.append(token).toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Packs the CPU plugin of the class path, whether it is a JAR already or still classes. */
  private void writeCpuPlugin(int mark) throws IOException {
    Path from =
        ServiceLoader.load(BackendProvider.class).stream()
            .filter(provider -> provider.type().getName().startsWith("dev.consort.cpu."))
            .map(p -> Path.of(java.net.URI.create(location(p.type()))))
            .findFirst()
            .orElseThrow();
    Manifest manifest = new Manifest();
    Attributes head = manifest.getMainAttributes();
    head.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    head.putValue("Consort-Spi-Version", SpiVersion.CURRENT.toString());
    head.putValue("Bundle-ManifestVersion", "2");
    head.putValue("Bundle-SymbolicName", "cpu");
    head.putValue("Import-Package", "dev.consort.api,dev.consort.api.quant,dev.consort.spi");
    try (OutputStream file = Files.newOutputStream(folder.resolve("cpu.jar"));
        JarOutputStream out = new JarOutputStream(file, manifest)) {
      if (Files.isDirectory(from)) {
        try (Stream<Path> all = Files.walk(from)) {
          for (Path each : all.filter(Files::isRegularFile).toList()) {
            add(out, from.relativize(each).toString(), Files.readAllBytes(each));
          }
        }
      } else {
        try (ZipFile jar = new ZipFile(from.toFile())) {
          for (ZipEntry each : jar.stream().filter(e -> !e.isDirectory()).toList()) {
            add(out, each.getName(), jar.getInputStream(each).readAllBytes());
          }
        }
      }
      add(out, "META-INF/mark-" + mark, new byte[] {(byte) mark});
    }
  }

  private static void add(JarOutputStream out, String name, byte[] content) throws IOException {
    if (!name.equals("META-INF/MANIFEST.MF")) {
      out.putNextEntry(new ZipEntry(name));
      out.write(content);
    }
  }

  private static String location(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation().toString();
  }
}
