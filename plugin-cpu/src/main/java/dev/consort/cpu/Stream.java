// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A queue of tasks that run one after another. Filled by one thread, emptied by the executor's; all
 * of it but the counters is guarded by the executor's lock.
 */
final class Stream {
  enum State {
    IDLE,
    READY,
    RUNNING,
    BLOCKED
  }

  private static final int FIRST_CAPACITY = 64;

  private final String name;
  private Task[] ring = tasks(FIRST_CAPACITY);
  private long tail;
  private volatile long head;
  private volatile @Nullable ConsortException failure;
  private volatile @Nullable Thread waiter;
  private volatile long target;

  State state = State.IDLE;
  boolean resumed;
  int segment;
  @Nullable CpuComm blockedOn;

  Stream(String name) {
    this.name = name;
  }

  private static Task[] tasks(int count) {
    Task[] tasks = new Task[count];
    for (int i = 0; i < count; i++) {
      tasks[i] = new Task();
    }
    return tasks;
  }

  String name() {
    return name;
  }

  /** The next free place, to be filled and then {@link #pushed}. */
  Task free() {
    if (tail - head == ring.length) {
      Task[] more = tasks(2 * ring.length);
      for (long i = head; i < tail; i++) {
        more[(int) (i % more.length)] = ring[(int) (i % ring.length)];
      }
      ring = more;
    }
    return ring[(int) (tail % ring.length)];
  }

  void pushed() {
    tail++;
  }

  boolean isEmpty() {
    return head == tail;
  }

  Task first() {
    return ring[(int) (head % ring.length)];
  }

  /** The first task is done. */
  void pop() {
    first().clear();
    segment = 0;
    head = head + 1;
    Thread waiting = waiter;
    if (waiting != null && head >= target) {
      LockSupport.unpark(waiting);
    }
  }

  void fail(ConsortException because) {
    if (failure == null) {
      failure = because;
    }
  }

  @Nullable ConsortException failure() {
    return failure;
  }

  /** Whether all that this thread queued is done; for the thread that fills the queue. */
  boolean isDrained() {
    return head == tail;
  }

  /** Waits until all that this thread queued is done, at most so long; whether it is. */
  boolean drain(long nanos) {
    long upTo = tail;
    long deadline = System.nanoTime() + nanos;
    target = upTo;
    waiter = Thread.currentThread();
    while (head < upTo) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        break;
      }
      LockSupport.parkNanos(this, left);
    }
    waiter = null;
    return head >= upTo;
  }
}
