// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.EnumSet;
import java.util.Set;

/**
 * Where one generation of a plugin stands. It goes down the list: found, verified, resolved, probed
 * and active, then draining and retired; it may fail at any step before it is active.
 */
public enum PluginState {
  /** There is a file, an entry of the class path or a bundle; nothing of it has been read. */
  FOUND,
  /** It may be loaded: read whole, trusted, listed in the lock, made for this SPI. */
  VERIFIED,
  /** Its classes are loaded and its provider has been made. */
  RESOLVED,
  /** It registered, and what it registered makes sense. */
  PROBED,
  /** Its devices can be used. */
  ACTIVE,
  /** It works but found no driver or device, which is no error. */
  UNAVAILABLE,
  /** It was replaced or removed; what runs on its devices finishes, nothing new begins. */
  DRAINING,
  /** It was closed. */
  RETIRED,
  /** It could not be used; the status names the reason. */
  FAILED;

  /** Whether this state can follow from another. */
  boolean follows(PluginState before) {
    return switch (this) {
      case FOUND -> false;
      case VERIFIED -> before == FOUND;
      case RESOLVED -> before == VERIFIED;
      case PROBED -> before == RESOLVED;
      case ACTIVE, UNAVAILABLE -> before == PROBED;
      case DRAINING -> before == ACTIVE;
      case FAILED -> STARTING.contains(before);
      case RETIRED -> before != RETIRED;
    };
  }

  /** Whether a generation in this state has given back what it held. */
  boolean isEnd() {
    return this == UNAVAILABLE || this == FAILED || this == RETIRED;
  }

  private static final Set<PluginState> STARTING = EnumSet.of(FOUND, VERIFIED, RESOLVED, PROBED);
}
