// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ProcAddresses;
import dev.consort.host.Consort;
import dev.consort.host.plugin.PluginState;
import dev.consort.host.plugin.PluginStatus;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists the devices that plugins found. */
@Command(
    name = "devices",
    description = "List the devices that the plugins found.",
    sortOptions = false)
final class DevicesCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
      defaultValue = "text")
  private TableFormat format = TableFormat.TEXT;

  @Option(names = "--features", description = "Also list what each device can do.")
  private boolean features;

  @Mixin private HostOptions host = new HostOptions();

  DevicesCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    try (Consort consort = host.open()) {
      Table table = features ? features(consort) : devices(consort);
      format.write(table, console.out());
      for (PluginStatus plugin : consort.plugins()) {
        if (plugin.state() == PluginState.FAILED) {
          console.say("plugin %s failed: %s (%s)", plugin.name(), plugin.reason(), plugin.origin());
        }
      }
      if (consort.devices().isEmpty()) {
        console.say("no plugin found a device; consort plugins says why");
      }
    }
    return ExitCode.OK;
  }

  private Table devices(Consort consort) {
    Table table = new Table("device", "kind", "name", "driver", "free_mib", "total_mib");
    for (Device device : consort.devices()) {
      DeviceInfo info = device.info();
      DeviceMemory memory = answer(info, device::memory, new DeviceMemory(0, 0));
      table.add(
          info.id(),
          kind(info),
          info.name(),
          info.driver(),
          memory.free() >> 20,
          memory.total() >> 20);
    }
    return table;
  }

  private Table features(Consort consort) {
    Table table = new Table("device", "feature", "value");
    for (Device device : consort.devices()) {
      Map<String, String> found =
          answer(
              device.info(),
              () -> device.find(ProcAddresses.GET_FEATURES).map(f -> f.features()).orElse(Map.of()),
              Map.of());
      found.forEach((name, value) -> table.add(device.info().id(), name, value));
    }
    return table;
  }

  /** A device that throws is told of and does not keep the others from being listed. */
  private <T> T answer(DeviceInfo info, Supplier<T> question, T otherwise) {
    try {
      return question.get();
    } catch (RuntimeException | LinkageError e) {
      console.say("device %s failed: %s", info.id(), e);
      return otherwise;
    }
  }

  private static String kind(DeviceInfo info) {
    String kind = info.kind().name().toLowerCase(Locale.ROOT);
    return info.software() ? kind + ", software" : kind;
  }
}
