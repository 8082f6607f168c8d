// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

/** Told how far writing has come, one call at a time, from writing threads. */
@FunctionalInterface
public interface WriteProgress {
  void written(long bytes, long ofBytes);
}
