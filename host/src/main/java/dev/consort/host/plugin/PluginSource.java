// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.List;

/** A place that plugins come from. */
public interface PluginSource extends AutoCloseable {
  /**
   * What is there now, in a stable order. Runs no code of a plugin; a candidate that turns out
   * broken fails when it is {@linkplain PluginCandidate#verify verified} or loaded.
   *
   * @throws dev.consort.api.ConsortException if the place itself can't be read
   */
  List<PluginCandidate> find();

  /** Gives back what the source itself holds, after all its plugins were closed. */
  @Override
  default void close() {}
}
