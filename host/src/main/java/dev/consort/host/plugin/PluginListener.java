// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** Hears of every step of every plugin, in order, one call at a time. */
@FunctionalInterface
public interface PluginListener {
  /** Nobody listens. */
  PluginListener NONE = status -> {};

  /**
   * A generation took a step. Must return soon, throws nothing, and keeps no status with devices
   * longer than it needs to: a device keeps its plugin in memory.
   */
  void changed(PluginStatus status);
}
