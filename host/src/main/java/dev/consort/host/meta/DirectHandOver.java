// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Storage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * By a copy of the plugin's own, which belongs to both streams. It is asked for on the taker's
 * thread while the giver's waits for just that; nobody waits for a device.
 */
final class DirectHandOver implements HandOver {
  private final CopyTensor copy;
  private final Waiting waiting;
  private final String taken;
  private final String given;
  private final BooleanSupplier isTaken = this::isTaken;
  private final BooleanSupplier isGiven = () -> !isTaken();
  private @Nullable Backend from;
  private @Nullable Storage source;
  private volatile long offers;
  private volatile long done;
  private volatile @Nullable Thread giver;
  private volatile @Nullable Thread taker;

  DirectHandOver(Submitter from, Submitter to, CopyTensor copy, Waiting waiting) {
    this.copy = copy;
    this.waiting = waiting;
    this.taken = "member " + to.name() + " to take a micro-batch from " + from.name();
    this.given = "member " + from.name() + " to hand over a micro-batch to " + to.name();
  }

  @Override
  public void give(Backend stream, Storage tensor) {
    giver = Thread.currentThread();
    from = stream;
    source = tensor;
    offers = offers + 1;
    LockSupport.unpark(taker);
    waiting.count();
    waiting.until(isTaken, taken);
  }

  @Override
  public void take(Backend to, Storage tensor) {
    taker = Thread.currentThread();
    waiting.count();
    waiting.until(isGiven, given);
    Backend stream = from;
    Storage offered = source;
    long bytes = tensor.tensor().bytes();
    if (stream != null && offered != null && bytes > 0) {
      copy.copy(stream, offered, 0, to, tensor, 0, bytes);
    }
    done = done + 1;
    LockSupport.unpark(giver);
  }

  private boolean isTaken() {
    return done == offers;
  }

  @Override
  public void close() {}
}
