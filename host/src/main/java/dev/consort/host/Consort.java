// SPDX-License-Identifier: Apache-2.0
package dev.consort.host;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.DeviceSelection;
import dev.consort.host.plugin.PluginStatus;
import dev.consort.host.plugin.Plugins;
import java.util.List;

/**
 * A host: its plugins and their devices. What is made of the devices must be closed before the host
 * is. Thread safe.
 */
public final class Consort implements AutoCloseable {
  private final Plugins plugins;
  private final DeviceSelection selection;

  private Consort(Plugins plugins) {
    this.plugins = plugins;
    this.selection = new DeviceSelection(plugins.devices());
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
    return new Consort(Plugins.start(options.sources(), options.settings(), options.startLimit()));
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
    return selection.select(text);
  }

  /** All GPUs and accelerators that are no programs, else {@code cpu:0}. */
  public List<Device> standardDevices() {
    return selection.standard();
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

  /** Closes all plugins. */
  @Override
  public void close() {
    plugins.close();
  }
}
