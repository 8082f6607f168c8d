// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** Something that may be a plugin. */
public interface PluginCandidate {
  /** What to call it while its provider has not been asked: a file's name, a class's. */
  String label();

  /** The file it comes from, or {@code class path}. */
  String origin();

  /**
   * Loads its provider. Called once, on a thread that may be given up when it takes too long; may
   * throw anything that class loading throws.
   */
  OpenPlugin open();
}
