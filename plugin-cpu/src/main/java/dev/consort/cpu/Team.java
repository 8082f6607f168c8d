// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The threads that run steps together. The caller of {@link #run} is the first of them; the others
 * wait for the next segment, spinning for some microseconds and then parked.
 */
final class Team implements AutoCloseable {
  private static final long SPIN_NANOS = 50_000;

  private final Kernels kernels;
  private final String name;
  private final Placement placement;
  private final Arena arena = Arena.ofShared();
  private final long meeting;
  private final List<Helper> helpers = new ArrayList<>();
  private long[] rooms = new long[0];
  private final List<Runnable> roomsToFree = new ArrayList<>();
  private long roomBytes;
  private volatile boolean closed;

  private long steps;
  private long count;
  private int threads;
  private long ticket;

  Team(Kernels kernels, String name, Placement placement) {
    this.placement = placement;
    this.kernels = kernels;
    this.name = name;
    this.meeting = arena.allocate(StepLayout.TEAM_BYTES, 64).address();
  }

  /**
   * Runs a segment on {@code threads} threads and returns when it is done. From one thread at a
   * time.
   *
   * @param room bytes that each thread needs of its own
   */
  void run(long firstStep, long stepCount, int threadCount, long room) {
    prepare(threadCount, room);
    steps = firstStep;
    count = stepCount;
    threads = threadCount;
    ticket++;
    for (int i = 0; i < threadCount - 1; i++) {
      helpers.get(i).call(ticket);
    }
    kernels.run(firstStep, stepCount, meeting, threadCount, 0, rooms[0]);
    kernels.check();
  }

  private void prepare(int threadCount, long room) {
    if (room > roomBytes || rooms.length < threadCount) {
      roomBytes = Math.max(Math.max(room, roomBytes), 1 << 20);
      roomsToFree.forEach(Runnable::run);
      roomsToFree.clear();
      rooms = new long[Math.max(threadCount, rooms.length)];
      for (int i = 0; i < rooms.length; i++) {
        Kernels.Allocated memory = kernels.allocate(roomBytes);
        rooms[i] = memory.segment().address();
        roomsToFree.add(memory.free());
      }
    }
    while (helpers.size() < threadCount - 1) {
      var helper = new Helper(helpers.size() + 1);
      helpers.add(helper);
      helper.thread.start();
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper.thread);
      join(helper.thread);
    }
    roomsToFree.forEach(Runnable::run);
    arena.close();
  }

  static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Helper implements Runnable {
    private final int index;
    private final Thread thread;
    private long seen;
    private volatile long called;
    private volatile boolean parked;

    Helper(int index) {
      this.index = index;
      this.thread = new Thread(this, name + "-" + index);
      thread.setDaemon(true);
    }

    void call(long number) {
      called = number;
      if (parked) {
        LockSupport.unpark(thread);
      }
    }

    @Override
    public void run() {
      placement.enter();
      while (awaitNext()) {
        seen = called;
        kernels.run(steps, count, meeting, threads, index, rooms[index]);
      }
    }

    /** Whether there is a next segment, rather than the end. */
    private boolean awaitNext() {
      long idleSince = 0;
      for (int spins = 0; called == seen; spins++) {
        if (closed) {
          return false;
        }
        Thread.onSpinWait();
        if ((spins & 63) != 63) {
          continue;
        }
        long now = System.nanoTime();
        if (idleSince == 0) {
          idleSince = now;
        } else if (now - idleSince > SPIN_NANOS) {
          parked = true;
          while (called == seen && !closed) {
            LockSupport.park(this);
          }
          parked = false;
        }
      }
      return true;
    }
  }
}
