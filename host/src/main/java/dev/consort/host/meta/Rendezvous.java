// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where the members of a meta device meet to exchange data through host memory. Every member takes
 * part in every meeting, in the same order.
 *
 * <p>A meeting: each member's stream is awaited, and givers' data read into staging memory; when
 * all have arrived, the last of them combines them; then the result is written to every member's
 * stream. Each element is reduced by one owner, in member order with an F32 accumulator, and the
 * others receive its bytes, so all members end bit-identical whatever their arithmetic. Staging
 * memory alternates between two halves: a member arrives at meeting {@code k+1} only when its
 * stream has read the result of meeting {@code k}, so nobody writes the half of meeting {@code k}
 * in meeting {@code k+2} before all have read it.
 *
 * <p>Large sums go through a {@link SumPipeline} instead.
 */
final class Rendezvous implements AutoCloseable {
  private final Submitter[] members;
  private final Event[] events;
  private final Waiting waiting;
  private final Thread[] threads;
  private final long[] phaseBefore;
  private final BooleanSupplier[] phaseOver;
  private final AtomicInteger arrived = new AtomicInteger();
  private final AtomicIntegerArray present;
  private final Object absent = new Absent();
  private volatile long phase;
  private final long[] meetings;
  private final Arena arena = Arena.ofShared();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>(List.of(arena::close));
  private final MemorySegment[][] given = new MemorySegment[2][];
  private final MemorySegment[] result = new MemorySegment[2];
  private final Sums[] sums;
  private @Nullable SumPipeline pipeline;
  private long capacity;

  Rendezvous(Submitter[] members, Waiting waiting) {
    this.members = members;
    this.waiting = waiting;
    this.present = new AtomicIntegerArray(members.length);
    this.threads = new Thread[members.length];
    this.phaseBefore = new long[members.length];
    this.phaseOver = new BooleanSupplier[members.length];
    this.meetings = new long[members.length];
    this.events = new Event[members.length];
    this.sums = new Sums[members.length];
    try {
      for (int i = 0; i < members.length; i++) {
        int index = i;
        sums[i] = new Sums();
        phaseOver[i] = () -> phase != phaseBefore[index];
        events[i] = members[i].backend().device().createEvent();
        owned.addFirst(events[i]);
      }
      reserve(64 * 1024);
    } catch (RuntimeException | Error e) {
      Closing.quietly(owned);
      throw e;
    }
  }

  /**
   * Makes room for a meeting, when those that are under way are over.
   *
   * @param index the member's number
   * @param given bytes of what it gives
   * @param whole bytes of the result
   * @return the member's segments in that meeting
   */
  Views prepare(int index, Purpose purpose, long given, long whole) {
    if (purpose instanceof Purpose.Reduce && whole > SumPipeline.CHUNK) {
      return new Views(index, pipeline(), whole);
    }
    if (!(purpose instanceof Purpose.Call)) {
      reserve(Math.max(whole, given));
    }
    return new Views(index, given, whole);
  }

  private SumPipeline pipeline() {
    SumPipeline made = pipeline;
    if (made == null) {
      made = new SumPipeline(members, waiting);
      owned.addFirst(made);
      pipeline = made;
    }
    return made;
  }

  /** Makes room for tensors of that size. */
  void reserve(long bytes) {
    if (bytes <= capacity) {
      return;
    }
    for (Submitter member : members) {
      member.drain();
    }
    MemorySegment[][] terms = new MemorySegment[2][members.length];
    MemorySegment[] sums = new MemorySegment[2];
    for (int half = 0; half < 2; half++) {
      for (int i = 0; i < members.length; i++) {
        terms[half][i] = Staging.allocate(members[i].backend().device(), bytes, arena, owned);
      }
      sums[half] = arena.allocate(bytes, 4096);
    }
    System.arraycopy(terms, 0, given, 0, 2);
    System.arraycopy(sums, 0, result, 0, 2);
    capacity = bytes;
  }

  /**
   * Takes part in a meeting.
   *
   * @param index the member's number among those of this rendezvous
   * @param mine what the member gives
   * @param whole where the result goes
   * @param views this member's segments, made for this exchange's sizes
   */
  void meet(int index, Backend backend, Purpose purpose, Storage mine, Storage whole, Views views) {
    if (purpose instanceof Purpose.Call) {
      arrive(index, purpose, 0);
      return;
    }
    if (purpose instanceof Purpose.Reduce r && views.chunks != null) {
      views.chunks.sum(backend, r.gives(), mine, whole);
      return;
    }
    int half = (int) (meetings[index]++ & 1);
    boolean gives =
        switch (purpose) {
          case Purpose.Reduce r -> r.gives()[index];
          case Purpose.Broadcast b -> b.giver() == index;
          case Purpose.Gather g -> mine.tensor().bytes() > 0;
          case Purpose.Call c -> false;
        };
    if (gives) {
      backend.get(mine, 0, views.given(this, half));
    }
    backend.record(events[index]);
    waiting.until(events[index]);
    arrive(index, purpose, half);
    boolean takes = !(purpose instanceof Purpose.Broadcast b && b.giver() == index);
    if (takes) {
      backend.set(whole, 0, views.result(this, half));
    }
  }

  /** Words for who has not arrived. */
  private final class Absent {
    @Override
    public String toString() {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < members.length; i++) {
        if (present.get(i) == 0) {
          names.add(members[i].name());
        }
      }
      return "member " + String.join(", ", names) + " to arrive at an exchange";
    }
  }

  MemorySegment given(int half, int index) {
    return given[half][index];
  }

  MemorySegment result(int half) {
    return result[half];
  }

  /** Waits until all have arrived and the last of them has done what they came for. */
  private void arrive(int index, Purpose purpose, int half) {
    phaseBefore[index] = phase;
    present.set(index, 1);
    threads[index] = Thread.currentThread();
    if (arrived.incrementAndGet() == members.length) {
      combine(purpose, half, sums[index]);
      for (int i = 0; i < members.length; i++) {
        present.set(i, 0);
      }
      arrived.set(0);
      phase = phase + 1;
      for (Thread thread : threads) {
        LockSupport.unpark(thread);
      }
    } else {
      waiting.count();
      waiting.until(phaseOver[index], absent);
    }
  }

  private void combine(Purpose purpose, int half, Sums by) {
    switch (purpose) {
      case Purpose.Call c -> c.comm().allreduce(c.terms());
      case Purpose.Reduce r -> {
        Tensor term = r.meet().tensor();
        by.reduce(term.type(), given[half], r.gives(), result[half], term.shape().elements());
      }
      case Purpose.Broadcast b ->
          MemorySegment.copy(given[half][b.giver()], 0, result[half], 0, b.bytes());
      case Purpose.Gather g -> {
        for (int m = 0; m < members.length; m++) {
          for (Rectangle rect : g.slices()[m]) {
            for (long i = 0; i < rect.rows(); i++) {
              MemorySegment.copy(
                  given[half][m],
                  rect.localOffset() + i * rect.localStride(),
                  result[half],
                  rect.fullOffset() + i * rect.fullStride(),
                  rect.rowBytes());
            }
          }
        }
      }
    }
  }

  @Override
  public void close() {
    Closing.all(owned);
  }

  /**
   * The staging segments cut to one exchange's sizes; made when a plan is, so that running is not.
   */
  static final class Views {
    private final SumPipeline.@Nullable Part chunks;
    private final MemorySegment[] given = new MemorySegment[2];
    private final MemorySegment[] result = new MemorySegment[2];
    private final int index;
    private final long givenBytes;
    private final long resultBytes;
    private @Nullable MemorySegment base;

    private Views(int index, long givenBytes, long resultBytes) {
      this.chunks = null;
      this.index = index;
      this.givenBytes = givenBytes;
      this.resultBytes = resultBytes;
    }

    private Views(int index, SumPipeline pipeline, long bytes) {
      this.chunks = pipeline.part(index, bytes);
      this.index = index;
      this.givenBytes = bytes;
      this.resultBytes = bytes;
    }

    MemorySegment given(Rendezvous at, int half) {
      refresh(at);
      return given[half];
    }

    MemorySegment result(Rendezvous at, int half) {
      refresh(at);
      return result[half];
    }

    private void refresh(Rendezvous at) {
      if (base != at.given(0, index)) {
        base = at.given(0, index);
        for (int half = 0; half < 2; half++) {
          given[half] = at.given(half, index).asSlice(0, givenBytes);
          result[half] = at.result(half).asSlice(0, resultBytes);
        }
      }
    }
  }
}
