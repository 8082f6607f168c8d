// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Feeds one member's backend, in order. While nothing is queued the caller's own thread does it; a
 * plan with exchanges goes to a thread of the member's, which may wait for other members, and what
 * comes after it queues behind it.
 *
 * <p>One caller at a time. Makes no garbage.
 */
final class Submitter implements AutoCloseable {
  private static final int CAPACITY = 1024;
  private static final long SETTLE_PARK = 100_000;

  private final int member;
  private final String name;
  private final Backend backend;
  private final Transfers transfers;
  private final Failure failure;
  private final Waiting waiting;

  /** The members' own waits end first, and name who is missing. */
  private final Duration callerLimit;

  private final Command[] ring = new Command[CAPACITY];
  private final BooleanSupplier drained = this::isDrained;
  private volatile long posted;
  private volatile long finished;
  private volatile boolean closed;
  private volatile boolean idle;
  private @Nullable Thread thread;
  private volatile @Nullable Thread blockedCaller;

  Submitter(int member, Backend backend, Failure failure, Waiting waiting) {
    this.member = member;
    this.name = backend.device().info().id() + "#" + member;
    this.backend = backend;
    this.transfers = new Transfers(backend);
    this.failure = failure;
    this.waiting = waiting;
    this.callerLimit = waiting.limit().multipliedBy(2);
    for (int i = 0; i < CAPACITY; i++) {
      ring[i] = new Command();
    }
  }

  Backend backend() {
    return backend;
  }

  String name() {
    return name;
  }

  /** How many commands were accepted so far; wait for it with {@link #hasFinished}. */
  long posted() {
    return posted;
  }

  boolean hasFinished(long command) {
    return finished >= command;
  }

  /**
   * Waits, on another stream's thread, until a command has been handed to this backend.
   *
   * @throws ConsortException the failure of this stream, after which what the command stands for
   *     was perhaps never recorded
   */
  void awaitFinished(long command, Waiting by) {
    by.until(() -> hasFinished(command) || failure.isSet(), name);
    failure.check();
  }

  void run(MetaPlan plan) {
    Command command = next(Command.Kind.RUN);
    command.plan = plan;
    publish(command, !plan.exchanges(member));
  }

  void set(Storage to, Rectangle rectangle, MemorySegment from) {
    transfer(Command.Kind.SET, to, rectangle, from);
  }

  /** Writes bytes into the member's piece from {@code offset} on. */
  void set(Storage to, long offset, MemorySegment from) {
    Command command = next(Command.Kind.SET_BYTES);
    command.storage = to;
    command.number = offset;
    command.segment = from;
    publish(command, true);
  }

  /**
   * Writes all of a tensor that lies in a repacking buffer. Blocks until what is queued is done.
   */
  void setRepacked(Storage to, Rectangle[] rectangles, MemorySegment from) {
    drain();
    transfers.setRepacked(to, rectangles, from);
  }

  /** Writes all of a tensor in the data type of its piece. Blocks until what is queued is done. */
  void setRecoded(Storage to, Tensor whole, Rectangle[] rectangles, MemorySegment from) {
    drain();
    transfers.setRecoded(to, whole, rectangles, from);
  }

  void get(Storage from, Rectangle rectangle, MemorySegment to) {
    transfer(Command.Kind.GET, from, rectangle, to);
  }

  /** Copies the rectangle's local bytes from one tensor to another. */
  void copy(Storage from, Storage to, Rectangle rectangle) {
    Command command = next(Command.Kind.COPY);
    command.storage = from;
    command.other = to;
    command.rectangle = rectangle;
    publish(command, true);
  }

  void record(Event event) {
    Command command = next(Command.Kind.RECORD);
    command.event = event;
    publish(command, true);
  }

  /** Holds the stream until a foreign event is done. */
  void await(Event event) {
    Command command = next(Command.Kind.AWAIT);
    command.event = event;
    publish(command, false);
  }

  /**
   * Holds the stream until another submitter has recorded an event and it is done.
   *
   * @param recording hears when it is
   */
  void await(Event event, Submitter recorder, long number, MetaEvent.Recording recording) {
    Command command = next(Command.Kind.AWAIT_META);
    command.event = event;
    command.submitter = recorder;
    command.number = number;
    command.recording = recording;
    publish(command, false);
  }

  /** Blocks until everything accepted so far has been handed to the backend. */
  void drain() {
    if (finished != posted) {
      waitFor(drained);
    }
    failure.check();
  }

  /**
   * Blocks until the member's thread has let go of everything accepted, be it carried out or, after
   * a failure, dropped: from then on it touches no memory. Bounded, and throws nothing.
   */
  void settle() {
    long start = System.nanoTime();
    while (finished != posted && System.nanoTime() - start < waiting.limit().toNanos()) {
      LockSupport.parkNanos(this, SETTLE_PARK);
    }
  }

  /** Blocks until a command has been handed to the backend, a member failed, or time is up. */
  void drain(long command, long deadline) {
    if (finished < command) {
      waitFor(() -> finished >= command || failure.isSet() || System.nanoTime() - deadline > 0);
    }
  }

  private void waitFor(BooleanSupplier done) {
    blockedCaller = Thread.currentThread();
    try {
      waiting.until(done, name, callerLimit);
    } finally {
      blockedCaller = null;
    }
  }

  private boolean isDrained() {
    return finished == posted || failure.isSet();
  }

  private void transfer(
      Command.Kind kind, Storage storage, Rectangle rectangle, MemorySegment segment) {
    Command command = next(kind);
    command.storage = storage;
    command.rectangle = rectangle;
    command.segment = segment;
    publish(command, true);
  }

  private Command next(Command.Kind kind) {
    if (posted - finished >= CAPACITY) {
      drain();
    }
    Command command = ring[(int) (posted % CAPACITY)];
    command.kind = kind;
    return command;
  }

  private void publish(Command command, boolean inline) {
    if (inline && finished == posted) {
      executeInline(command);
      long next = posted + 1;
      finished = next;
      posted = next;
      return;
    }
    posted = posted + 1;
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name("consort-" + name).start(this::work);
    } else if (idle) {
      LockSupport.unpark(thread);
    }
  }

  /** A plan that one member refuses leaves the members out of step: all have failed then. */
  private void executeInline(Command command) {
    try {
      command.run(member, backend, transfers, waiting);
    } catch (RuntimeException | Error e) {
      if (command.kind == Command.Kind.RUN) {
        failure.set(name, e);
        failure.check();
      }
      throw e;
    }
  }

  private void work() {
    while (!closed) {
      if (isIdle()) {
        idle = true;
        if (isIdle() && !closed) {
          LockSupport.parkNanos(this, 1_000_000_000L);
        }
        idle = false;
        continue;
      }
      Command command = ring[(int) (finished % CAPACITY)];
      try {
        if (!failure.isSet()) {
          command.run(member, backend, transfers, waiting);
        }
      } catch (Throwable e) {
        failure.set(name, e);
      }
      release(command);
      finished = finished + 1;
      Thread caller = blockedCaller;
      if (caller != null) {
        LockSupport.unpark(caller);
      }
    }
  }

  private void release(Command command) {
    MetaEvent.Recording recording = command.recording;
    command.recording = null;
    if (recording != null) {
      try {
        recording.wasAwaited();
      } catch (RuntimeException | Error e) {
        failure.set(name, e);
      }
    }
  }

  /** Reads what was posted first: a command that the caller runs itself is finished before. */
  private boolean isIdle() {
    long accepted = posted;
    return finished >= accepted;
  }

  /** Stops the thread; what is queued is done first unless a member failed. Blocks. */
  void stop() {
    try {
      drain();
    } catch (RuntimeException e) {
      // the failure was thrown by the call that met it
    }
    settle();
    closed = true;
    Thread worker = thread;
    if (worker != null) {
      LockSupport.unpark(worker);
      join(worker);
    }
  }

  /** An interrupt does not shorten it: what the thread uses is freed next. */
  private void join(Thread worker) {
    boolean interrupted = Thread.interrupted();
    long deadline = System.nanoTime() + waiting.limit().toNanos();
    while (worker.isAlive() && System.nanoTime() - deadline < 0) {
      try {
        worker.join(waiting.limit());
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    stop();
    backend.close();
  }
}
