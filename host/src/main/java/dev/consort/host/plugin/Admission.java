// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.Optional;

/** Decides whether a JAR file may be loaded, which gives it every right that the process has. */
@FunctionalInterface
public interface Admission {
  /**
   * Lets a JAR in by returning.
   *
   * @return what a lock says of it, if one was asked
   * @throws dev.consort.api.ConsortException PLUGIN_FAILED with the reason why not
   */
  Optional<LockedPlugin> admit(JarIdentity jar);

  /** Whatever lies in a folder that nobody else can write was put there by its owner. */
  static Admission ofOwner() {
    return jar -> Optional.empty();
  }
}
