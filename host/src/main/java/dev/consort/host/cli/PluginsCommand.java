// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.Device;
import dev.consort.host.Consort;
import dev.consort.host.plugin.PluginStatus;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists plugins, working or not. */
@Command(
    name = "plugins",
    description = "List the plugins, and why those that are not active are not.",
    sortOptions = false)
final class PluginsCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
      defaultValue = "text")
  private TableFormat format = TableFormat.TEXT;

  @Mixin private HostOptions host = new HostOptions();

  PluginsCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    Table table = new Table("plugin", "version", "state", "devices", "file", "reason");
    try (Consort consort = host.open()) {
      for (PluginStatus plugin : consort.plugins()) {
        table.add(
            plugin.name(),
            plugin.version(),
            plugin.state().name(),
            plugin.devices().stream()
                .map(Device::info)
                .map(info -> info.id())
                .collect(Collectors.joining(" ")),
            plugin.origin(),
            plugin.reason());
      }
      format.write(table, console.out());
      if (host.isVerbose()) {
        consort
            .plugins()
            .forEach(
                plugin -> plugin.cause().ifPresent(cause -> cause.printStackTrace(console.err())));
      }
    }
    return ExitCode.OK;
  }
}
