// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Backend;
import dev.consort.api.Plan;
import dev.consort.api.Stable;

/** A plan that knows whether it was closed; {@link BaseBackend} refuses it then. */
@Stable(since = "1.0")
public abstract class BasePlan implements Plan {
  private final Backend backend;
  private volatile boolean closed;

  protected BasePlan(Backend backend) {
    this.backend = backend;
  }

  @Override
  public final Backend backend() {
    return backend;
  }

  final boolean isClosed() {
    return closed;
  }

  /** Overrides release what the plan holds once submissions under way are done. */
  @Override
  public void close() {
    closed = true;
  }
}
