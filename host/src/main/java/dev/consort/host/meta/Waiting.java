// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounded waits of one thread for another: a short spin where there are processors to spare, then
 * parking. A slow wait is logged every ten seconds; one that exceeds the limit becomes an error.
 */
final class Waiting {
  private static final Logger LOG = LoggerFactory.getLogger(Waiting.class);
  private static final long HEARTBEAT = Duration.ofSeconds(10).toNanos();
  private static final long PARK = Duration.ofMillis(1).toNanos();
  private static final int SPINS = 2000;

  /** The longest wait for a member, from system property {@code consort.timeout} in seconds. */
  static final Duration LIMIT = Duration.ofSeconds(Long.getLong("consort.timeout", 300));

  private final boolean spin;
  private final AtomicLong waits = new AtomicLong();
  private final Failure failure;
  private final Duration limit;

  Waiting(int threads, Failure failure) {
    this(threads, failure, LIMIT);
  }

  /**
   * @param limit the longest wait for a member
   */
  Waiting(int threads, Failure failure, Duration limit) {
    this.spin = Runtime.getRuntime().availableProcessors() > threads;
    this.failure = failure;
    this.limit = limit;
  }

  /** The longest wait for a member. */
  Duration limit() {
    return limit;
  }

  /** Waits for a member's device to reach a recorded point. */
  void until(Event event) {
    count();
    event.await(limit);
  }

  /** Counts a wait for a device or for another member. */
  void count() {
    waits.incrementAndGet();
  }

  /** The waits counted so far. */
  long waits() {
    return waits.get();
  }

  /**
   * Waits until {@code done}; whoever makes it true unparks the caller.
   *
   * @param what for the heartbeat and the error: «member vulkan:1 to arrive at reduce 3»
   * @throws ConsortException TIMEOUT, or a member's failure
   */
  void until(BooleanSupplier done, Object what) {
    until(done, what, limit);
  }

  /** As above, with another limit. */
  void until(BooleanSupplier done, Object what, Duration longest) {
    for (int i = 0; spin && i < SPINS; i++) {
      if (done.getAsBoolean()) {
        return;
      }
      Thread.onSpinWait();
    }
    if (!done.getAsBoolean()) {
      park(done, what, longest.toNanos());
    }
  }

  private void park(BooleanSupplier done, Object what, long nanos) {
    long start = System.nanoTime();
    long beat = HEARTBEAT;
    while (!done.getAsBoolean()) {
      failure.check();
      LockSupport.parkNanos(this, PARK);
      long waited = System.nanoTime() - start;
      if (waited > nanos) {
        throw ConsortException.of(
                ErrorCode.TIMEOUT,
                "waited %d s for %s; raise -Dconsort.timeout if it is just slow"
                    .formatted(waited / 1_000_000_000, what))
            .plugin("meta")
            .build();
      }
      if (waited > beat) {
        beat += HEARTBEAT;
        LOG.warn("still waiting for {} after {} s", what, waited / 1_000_000_000);
      }
    }
  }
}
