// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Hands a tensor from one stage to a later one through host memory, several copies in flight, so
 * that a stage starts on the next micro-batch while the following stage is at this one. For each
 * copy one event says when the receiver has read it; the giver waits for that event before it
 * writes the copy again, and the receiver starts to read when the giver's own event is done.
 */
final class HandOver implements AutoCloseable {
  private static final int COPIES = 3;

  private final Waiting waiting;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] copies = new MemorySegment[COPIES];
  private final Event[] read = new Event[COPIES];
  private final Event written;
  private final BooleanSupplier hasRoom = this::hasRoom;
  private final BooleanSupplier hasCopy = this::hasCopy;
  private volatile long given;
  private volatile long taken;
  private volatile @Nullable Thread giver;
  private volatile @Nullable Thread taker;

  HandOver(Backend from, Backend to, long bytes, Waiting waiting) {
    this.waiting = waiting;
    try {
      for (int i = 0; i < COPIES; i++) {
        copies[i] = arena.allocate(bytes, 4096);
      }
      this.written = from.device().createEvent();
      for (int i = 0; i < COPIES; i++) {
        read[i] = to.device().createEvent();
      }
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** On the giver's thread: reads the tensor into the next copy. */
  void give(Backend from, Storage tensor) {
    giver = Thread.currentThread();
    waiting.until(hasRoom, "the next stage to take a micro-batch");
    int slot = (int) (given % COPIES);
    read[slot].await(Waiting.LIMIT);
    from.get(tensor, 0, copies[slot]);
    from.record(written);
    waiting.count();
    written.await(Waiting.LIMIT);
    given = given + 1;
    LockSupport.unpark(taker);
  }

  /** On the taker's thread: writes the oldest copy to the tensor. */
  void take(Backend to, Storage tensor) {
    taker = Thread.currentThread();
    waiting.count();
    waiting.until(hasCopy, "the stage before to hand over a micro-batch");
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

  /** Waits until the receiver has read what it was handed. */
  @Override
  public void close() {
    written.close();
    for (Event event : read) {
      awaitQuietly(event);
      event.close();
    }
    arena.close();
  }

  private static void awaitQuietly(Event event) {
    try {
      event.await(Waiting.LIMIT);
    } catch (ConsortException e) {
      // A device that failed reads no more.
    }
  }
}
