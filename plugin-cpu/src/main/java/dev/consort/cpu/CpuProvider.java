// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The CPU plugin's entry: the host's processor is one device, or, where its memory has several
 * nodes, each of them is one.
 */
public final class CpuProvider implements BackendProvider {
  private static final String VERSION = "0.1.0";

  private final Supplier<Topology> topology;

  /** For this machine. */
  public CpuProvider() {
    this(Topology::detect);
  }

  CpuProvider(Supplier<Topology> topology) {
    this.topology = topology;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Registration register(PluginContext context) {
    Settings settings = Settings.of(context);
    Processor processor = Processor.detect();
    NativeLibrary.directory(context.nativeDirectory());
    String best = NativeLibrary.resource().isEmpty() ? "portable" : processor.bestPath();
    String path = settings.path().isEmpty() ? best : settings.path();
    List<CpuDevice> devices = new ArrayList<>();
    for (Placement placement : placements(settings)) {
      devices.add(new CpuDevice(devices.size(), processor, path, settings, placement));
    }
    return Registration.of(VERSION, List.copyOf(devices), () -> devices.forEach(CpuDevice::close));
  }

  private List<Placement> placements(Settings settings) {
    List<Topology.Node> nodes =
        settings.numa() == Settings.Numa.ON ? topology.get().nodes() : List.of();
    return nodes.size() < 2
        ? List.of(Placement.ANYWHERE)
        : nodes.stream().map(Placement::on).toList();
  }
}
