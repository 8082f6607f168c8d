// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import java.util.concurrent.CompletableFuture;

/** What a recording of an event stands for. */
record Moment(CompletableFuture<Void> done) {
  static final Moment PAST = new Moment(CompletableFuture.completedFuture(null));

  static Moment pending() {
    return new Moment(new CompletableFuture<>());
  }
}
