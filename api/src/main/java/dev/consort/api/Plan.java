// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** A graph compiled for one backend and one allocation; made once, submitted many times. */
@Stable(since = "1.0")
public interface Plan extends AutoCloseable {
  /** The backend that compiled it and alone can submit it. */
  Backend backend();

  /** Releases it once submissions under way are done. */
  @Override
  void close();
}
