// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.time.Duration;

/**
 * A point in a backend's stream that others can wait for: a snapshot, taken by {@link
 * Backend#record}. Recording again replaces it; waits made before keep to the older point. An event
 * that was never recorded is done. Thread safe.
 */
@Stable(since = "1.0")
public interface Event extends AutoCloseable {
  Device device();

  /**
   * Whether the latest recording is done. Never blocks.
   *
   * @throws ConsortException DEVICE_FAILED if the stream failed before reaching it
   */
  boolean isDone();

  /**
   * Blocks until the latest recording is done.
   *
   * @throws ConsortException TIMEOUT, DEVICE_FAILED
   */
  void await(Duration timeout);

  @Override
  void close();
}
