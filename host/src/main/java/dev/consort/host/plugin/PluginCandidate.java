// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** Something that may be a plugin. Nothing here runs any of its code. */
public interface PluginCandidate {
  /** What to call it while its provider has not been asked: a file's name, a class's. */
  String label();

  /**
   * The file it comes from, or {@code class path}. No two candidates of one way in have the same
   * origin and label.
   */
  String origin();

  /** Changes when its content does, as far as can be told without reading it. */
  default String revision() {
    return "";
  }

  /**
   * What else decides whether it may be loaded, such as permissions: one that failed is tried again
   * when this changes.
   */
  default String circumstances() {
    return "";
  }

  PluginWay way();

  /** Whether all of it is there: a file that is still being copied is not. */
  default boolean isWhole() {
    return true;
  }

  /**
   * Checks that it may be loaded. Called once, on a thread that may be given up when it takes too
   * long.
   *
   * @throws dev.consort.api.ConsortException with the reason why not
   */
  VerifiedPlugin verify();
}
