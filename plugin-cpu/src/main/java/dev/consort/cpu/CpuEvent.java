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
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Counts its recordings and how many of them are done. */
final class CpuEvent implements Event {
  private final Device device;
  private final Executor executor;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
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
  long begin() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").device(device).build();
    }
    lock.lock();
    try {
      return ++recorded;
    } finally {
      lock.unlock();
    }
  }

  long latest() {
    lock.lock();
    try {
      return recorded;
    } finally {
      lock.unlock();
    }
  }

  /** A recording is done, and with it all before it; or its stream failed. */
  void complete(long sequence, @Nullable ConsortException because) {
    lock.lock();
    try {
      finish(sequence);
      failure = because;
      for (int i = 0; i < waiting.size(); i++) {
        executor.resume(waiting.get(i));
      }
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
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
  boolean doneOrResume(long sequence, Stream stream) {
    lock.lock();
    try {
      if (isDone(sequence)) {
        return true;
      }
      waiting.add(stream);
      return false;
    } finally {
      lock.unlock();
    }
  }

  @Nullable ConsortException failure() {
    return failure;
  }

  @Override
  public boolean isDone() {
    lock.lock();
    try {
      ConsortException broken = failure;
      if (broken != null) {
        throw broken;
      }
      return isDone(recorded);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void await(Duration timeout) {
    long sequence = latest();
    long left = timeout.toNanos();
    lock.lock();
    try {
      while (!isDone(sequence)) {
        if (left <= 0) {
          throw ConsortException.of(ErrorCode.TIMEOUT, "an event did not come within " + timeout)
              .device(device)
              .build();
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ConsortException.of(ErrorCode.TIMEOUT, "interrupted while waiting for an event")
          .device(device)
          .cause(e)
          .build();
    } finally {
      lock.unlock();
    }
    ConsortException broken = failure;
    if (broken != null) {
      throw broken;
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
