// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.Optional;

/**
 * A plugin that may be loaded.
 *
 * @param spiVersion the SPI it says it was made for, or an empty string
 * @param sha256 of what will be loaded, or an empty string
 * @param locked what the lock says of it, if there is a lock
 * @param loader loads its provider; may throw anything that class loading throws
 * @param close gives back the private copy; called after whatever {@code loader} made was closed
 */
public record VerifiedPlugin(
    String spiVersion,
    String sha256,
    Optional<LockedPlugin> locked,
    Loader loader,
    Runnable close) {

  /** Loads a provider. */
  @FunctionalInterface
  public interface Loader {
    OpenPlugin load();
  }
}
