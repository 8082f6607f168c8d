// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Backend;
import dev.consort.api.Plan;

/** A plan of a wrapped backend. */
public class DelegatingPlan implements Plan {
  private final Backend backend;
  private final Plan delegate;

  protected DelegatingPlan(Backend backend, Plan delegate) {
    this.backend = backend;
    this.delegate = delegate;
  }

  final Plan delegate() {
    return delegate;
  }

  @Override
  public final Backend backend() {
    return backend;
  }

  @Override
  public void close() {
    delegate.close();
  }
}
