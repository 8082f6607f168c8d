// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** {@code set_n_threads}: how many of the host's threads a device may use. */
@Stable(since = "1.0")
public interface SetThreads {
  /** Takes effect with the next submission. */
  void setThreads(int threads);

  int threads();
}
