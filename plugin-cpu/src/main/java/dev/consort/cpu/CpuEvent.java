// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Counts its recordings and how many of them are done. */
final class CpuEvent implements Event {
  private final Device device;
  private final Executor executor;
  private final List<Stream> waiting = new ArrayList<>();
  private final Set<Long> doneEarly = new HashSet<>();
  private long recorded;
  private long done;
  private volatile @Nullable ConsortException failure;
  private volatile boolean closed;

  CpuEvent(Device device, Executor executor) {
    this.device = device;
    this.executor = executor;
  }

  @Override
  public Device device() {
    return device;
  }

  /** Begins a recording and returns its number. */
  synchronized long begin() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").device(device).build();
    }
    return ++recorded;
  }

  synchronized long latest() {
    return recorded;
  }

  /** A recording is done, and with it all before it; or its stream failed. */
  synchronized void complete(long sequence, @Nullable ConsortException because) {
    finish(sequence);
    failure = because;
    for (int i = 0; i < waiting.size(); i++) {
      executor.resume(waiting.get(i));
    }
    waiting.clear();
    notifyAll();
  }

  /** Recordings on different streams may end in another order than they began. */
  private void finish(long sequence) {
    if (sequence != done + 1) {
      doneEarly.add(sequence);
      return;
    }
    done = sequence;
    while (!doneEarly.isEmpty() && doneEarly.remove(done + 1)) {
      done++;
    }
  }

  private boolean isDone(long sequence) {
    return sequence <= done || !doneEarly.isEmpty() && doneEarly.contains(sequence);
  }

  /** Whether the recording is done; if not, the stream is resumed when it is. */
  synchronized boolean doneOrResume(long sequence, Stream stream) {
    if (isDone(sequence)) {
      return true;
    }
    waiting.add(stream);
    return false;
  }

  @Nullable ConsortException failure() {
    return failure;
  }

  @Override
  public synchronized boolean isDone() {
    ConsortException broken = failure;
    if (broken != null) {
      throw broken;
    }
    return isDone(recorded);
  }

  @Override
  public void await(Duration timeout) {
    try {
      awaitDone(System.nanoTime() + timeout.toNanos(), timeout);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ConsortException.of(ErrorCode.TIMEOUT, "interrupted while waiting for an event")
          .device(device)
          .cause(e)
          .build();
    }
    ConsortException broken = failure;
    if (broken != null) {
      throw broken;
    }
  }

  /** On the monitor, which makes no garbage, as a condition's queue does. */
  private synchronized void awaitDone(long end, Duration timeout) throws InterruptedException {
    long sequence = recorded;
    while (!isDone(sequence)) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw ConsortException.of(ErrorCode.TIMEOUT, "an event did not come within " + timeout)
            .device(device)
            .build();
      }
      wait(left / 1_000_000, (int) (left % 1_000_000));
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
