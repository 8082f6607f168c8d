// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

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
    synopsisSubcommandLabel = "[lock | watch]",
    sortOptions = false)
final class PluginsCommand implements Callable<ExitCode> {
  private static final int SHORT_HASH = 12;

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
    Table table =
        new Table(
            "plugin", "version", "state", "spi", "devices", "from", "sha256", "file", "reason");
    try (Consort consort = host.open()) {
      for (PluginStatus plugin : consort.plugins()) {
        table.add(
            plugin.name(),
            plugin.version(),
            plugin.state().name(),
            plugin.spiVersion(),
            devices(plugin),
            plugin.way().label(),
            hash(plugin),
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

  /** Its devices' ids with spaces between them. */
  static String devices(PluginStatus plugin) {
    return plugin.devices().stream()
        .map(device -> device.info().id())
        .collect(Collectors.joining(" "));
  }

  private String hash(PluginStatus plugin) {
    boolean cut = format == TableFormat.TEXT && plugin.sha256().length() > SHORT_HASH;
    return cut ? plugin.sha256().substring(0, SHORT_HASH) : plugin.sha256();
  }
}
