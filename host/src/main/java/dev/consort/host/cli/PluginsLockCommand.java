// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.LockedPlugin;
import dev.consort.host.plugin.PluginState;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.Plugins;
import dev.consort.host.plugin.PluginsLock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Writes the lock of a plugins folder. */
@Command(
    name = "lock",
    description =
        "Write plugins.lock into the plugins folder: from then on only the plugins that are in it"
            + " now are loaded, byte by byte the same.",
    sortOptions = false)
final class PluginsLockCommand implements Callable<ExitCode> {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Console console;

  @Mixin private HostOptions host = new HostOptions();

  PluginsLockCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    Path folder =
        host.folder()
            .orElseThrow(
                () ->
                    new ConsortException(
                        ErrorCode.NOT_FOUND,
                        "there is no plugins folder to lock; name one with --plugins"));
    Optional<PluginsLock> before = PluginsLock.find(folder);
    List<PluginStatus> found = look(folder);
    PluginsLock lock = PluginsLock.of(found);
    lock.write(folder);
    Table table = new Table("plugin", "version", "sha256", "change");
    for (LockedPlugin plugin : lock.plugins()) {
      table.add(plugin.name(), plugin.version(), plugin.sha256(), change(before, plugin));
    }
    TableFormat.TEXT.write(table, console.out());
    before.ifPresent(old -> tellWhatIsGone(old, lock));
    tellWhatFailed(found);
    return ExitCode.OK;
  }

  private static List<PluginStatus> look(Path folder) {
    try (Plugins plugins =
        Plugins.start(List.of(new FolderSource(folder).withoutLock()), Map.of(), LIMIT)) {
      return plugins.statuses();
    }
  }

  private static String change(Optional<PluginsLock> before, LockedPlugin plugin) {
    if (before.isEmpty() || before.get().find(plugin.sha256()).isPresent()) {
      return "";
    }
    return before.get().plugins().stream().anyMatch(old -> old.name().equals(plugin.name()))
        ? "changed"
        : "new";
  }

  private void tellWhatIsGone(PluginsLock before, PluginsLock lock) {
    for (LockedPlugin old : before.plugins()) {
      if (lock.plugins().stream().noneMatch(plugin -> plugin.name().equals(old.name()))) {
        console.say("%s %s is no longer in the folder", old.name(), old.version());
      }
    }
  }

  private void tellWhatFailed(List<PluginStatus> found) {
    for (PluginStatus plugin : found) {
      if (plugin.state() == PluginState.FAILED) {
        console.say(
            "%s failed and is not in the lock: %s (%s)",
            plugin.name(), plugin.reason(), plugin.origin());
      }
    }
  }
}
