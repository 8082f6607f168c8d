// SPDX-License-Identifier: Apache-2.0
package dev.consort.host;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.DeviceSelection;
import dev.consort.host.plugin.PluginListener;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.PluginWatcher;
import dev.consort.host.plugin.Plugins;
import java.time.Duration;
import java.util.List;

/**
 * A host: its plugins and their devices. What is made of the devices must be closed before the host
 * is. Plugins may come and go while it is open: an engine holds a {@link
 * dev.consort.host.plugin.Lease} on the generation that it runs on. Thread safe.
 */
public final class Consort implements AutoCloseable {
  private final Plugins plugins;

  private Consort(Plugins plugins) {
    this.plugins = plugins;
  }

  /** A host with the default options. */
  public static Consort open() {
    return open(ConsortOptions.defaults());
  }

  /**
   * Starts the plugins. A plugin that fails harms no other; {@link #plugins()} says what became of
   * it.
   *
   * @throws ConsortException if a plugins folder can't be read
   */
  public static Consort open(ConsortOptions options) {
    return open(options, PluginListener.NONE);
  }

  /** As above, with a listener that hears of every step of every plugin. */
  public static Consort open(ConsortOptions options, PluginListener listener) {
    return new Consort(
        Plugins.start(options.sources(), options.settings(), options.startLimit(), listener));
  }

  /**
   * Looks at the plugins folders again: starts what is new, replaces what was replaced, retires
   * what is gone. What runs finishes on the generation that it began on. Blocks until that is done.
   *
   * @throws ConsortException if a plugins folder can't be read; nothing is changed then
   */
  public void rescan() {
    plugins.rescan();
  }

  /** Does so by itself, as files come and go, until the watcher or the host is closed. */
  public PluginWatcher watch(Duration interval) {
    return PluginWatcher.start(plugins, interval);
  }

  /** Every generation of a plugin, with those that were retired and may still be in memory. */
  public List<PluginStatus> pluginHistory() {
    return plugins.history();
  }

  /** Asks the JVM to collect retired generations; {@link #pluginHistory()} then tells who left. */
  public void collectPlugins() {
    plugins.collect();
  }

  /** Every plugin that was found, working or not. */
  public List<PluginStatus> plugins() {
    return plugins.statuses();
  }

  /** The devices of all working plugins. */
  public List<Device> devices() {
    return plugins.devices();
  }

  /**
   * The members that a text such as {@code cpu:0*2,vulkan:llvmpipe} names; see {@link
   * DeviceSelection}.
   *
   * @throws ConsortException NOT_FOUND, INVALID_ARGUMENT
   */
  public List<Device> select(String text) {
    return selection().select(text);
  }

  /** All GPUs and accelerators that are no programs, else {@code cpu:0}. */
  public List<Device> standardDevices() {
    return selection().standard();
  }

  /**
   * The one device that a text names.
   *
   * @throws ConsortException NOT_FOUND, INVALID_ARGUMENT
   */
  public Device device(String text) {
    List<Device> found = select(text);
    if (found.size() != 1) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "\"%s\" names %d members where one device is needed".formatted(text, found.size()));
    }
    return found.getFirst();
  }

  private DeviceSelection selection() {
    return new DeviceSelection(plugins.devices());
  }

  /** Closes all plugins. */
  @Override
  public void close() {
    plugins.close();
  }
}
