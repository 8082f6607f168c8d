// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.Optional;

/**
 * A plugin after the attempt to start it.
 *
 * @param status what became of it
 * @param close gives back what it holds; does nothing where nothing was started
 */
record StartedPlugin(PluginStatus status, Runnable close) {
  static StartedPlugin failed(
      PluginCandidate candidate, String name, String reason, Optional<Throwable> cause) {
    return new StartedPlugin(
        PluginStatus.failed(name, "", reason, candidate.origin(), cause), () -> {});
  }
}
