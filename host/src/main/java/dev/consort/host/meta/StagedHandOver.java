// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.host.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Through host memory, several copies in flight, so that a stage starts on the next micro-batch
 * while the following stage is at this one. For each copy one event says when the receiver has read
 * it; the giver waits for that event before it writes the copy again, and the receiver starts to
 * read when the giver's own event is done.
 */
final class StagedHandOver implements HandOver {
  private static final int COPIES = 3;

  private final Waiting waiting;
  private final String room;
  private final String copy;
  private final Arena arena = Arena.ofShared();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>(List.of(arena::close));
  private final MemorySegment[] copies = new MemorySegment[COPIES];
  private final Event[] read = new Event[COPIES];
  private final Event written;
  private final BooleanSupplier hasRoom = this::hasRoom;
  private final BooleanSupplier hasCopy = this::hasCopy;
  private volatile long given;
  private volatile long taken;
  private volatile @Nullable Thread giver;
  private volatile @Nullable Thread taker;

  StagedHandOver(Submitter from, Submitter to, long bytes, Waiting waiting) {
    this.waiting = waiting;
    this.room = "member " + to.name() + " to take a micro-batch from " + from.name();
    this.copy = "member " + from.name() + " to hand over a micro-batch to " + to.name();
    try {
      for (int i = 0; i < COPIES; i++) {
        copies[i] = Staging.allocate(from.backend().device(), bytes, arena, owned);
      }
      this.written = event(from);
      for (int i = 0; i < COPIES; i++) {
        read[i] = event(to);
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(owned);
      throw e;
    }
  }

  private Event event(Submitter member) {
    Event event = member.backend().device().createEvent();
    owned.addFirst(event);
    return event;
  }

  @Override
  public void give(Backend from, Storage tensor) {
    giver = Thread.currentThread();
    waiting.until(hasRoom, room);
    int slot = (int) (given % COPIES);
    read[slot].await(waiting.limit());
    from.get(tensor, 0, copies[slot]);
    from.record(written);
    waiting.until(written);
    given = given + 1;
    LockSupport.unpark(taker);
  }

  @Override
  public void take(Backend to, Storage tensor) {
    taker = Thread.currentThread();
    waiting.count();
    waiting.until(hasCopy, copy);
    int slot = (int) (taken % COPIES);
    to.set(tensor, 0, copies[slot]);
    to.record(read[slot]);
    taken = taken + 1;
    LockSupport.unpark(giver);
  }

  private boolean hasRoom() {
    return given - taken < COPIES;
  }

  private boolean hasCopy() {
    return taken < given;
  }

  /** Waits until the giver has written its copies and the receiver has read them. */
  @Override
  public void close() {
    long deadline = System.nanoTime() + waiting.limit().toNanos();
    awaitQuietly(written, deadline);
    for (Event event : read) {
      awaitQuietly(event, deadline);
    }
    Closing.all(owned);
  }

  private static void awaitQuietly(Event event, long deadline) {
    try {
      event.await(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    } catch (ConsortException e) {
      // A device that failed touches the copies no more.
    }
  }
}
