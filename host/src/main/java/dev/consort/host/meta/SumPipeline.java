// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.host.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sums that are too large for one meeting: they pass through staging memory in chunks, which the
 * members reduce in turn. While one chunk is added up the next is read and the one before is
 * written. Every member takes part in every sum, in the same order.
 *
 * <p>Chunks are numbered through from sum to sum; chunk {@code k} lies in slot {@code k % SLOTS}. A
 * member reads chunk {@code k + SLOTS} into a slot after it has seen chunk {@code k} reduced, and
 * has given it after its stream has written the sum of chunk {@code k}; the sum of chunk {@code k +
 * SLOTS} is made when all have given it. So nobody writes what another still reads.
 */
final class SumPipeline implements AutoCloseable {
  /** Bytes that are on the way at once; terms of all members fit the processor's caches. */
  static final long CHUNK = 512 << 10;

  private static final int SLOTS = 3;

  private final Waiting waiting;
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final List<Member> members = new ArrayList<>();
  private final Slot[] slots = new Slot[SLOTS];

  /** For each member how many chunks its stream has read. */
  private final AtomicLongArray given;

  /** For each slot the number of its latest chunk that is reduced, plus one. */
  private final AtomicLongArray reduced = new AtomicLongArray(SLOTS);

  SumPipeline(Submitter[] submitters, Waiting waiting) {
    this.waiting = waiting;
    this.given = new AtomicLongArray(submitters.length);
    Arena arena = Arena.ofShared();
    owned.add(arena::close);
    try {
      for (int i = 0; i < submitters.length; i++) {
        members.add(new Member(i, submitters[i]));
      }
      for (int s = 0; s < SLOTS; s++) {
        slots[s] = new Slot(submitters, arena);
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(owned);
      throw e;
    }
  }

  /** Room for one chunk. */
  private final class Slot {
    final MemorySegment[] terms;
    final MemorySegment sum;

    Slot(Submitter[] submitters, Arena arena) {
      terms = new MemorySegment[submitters.length];
      for (int m = 0; m < submitters.length; m++) {
        terms[m] = Staging.allocate(submitters[m].backend().device(), CHUNK, arena, owned);
      }
      sum = arena.allocate(CHUNK, 4096);
    }
  }

  /** One member's side, used by its thread. */
  private final class Member {
    final int index;
    final String name;
    final Event[] read = new Event[SLOTS];
    final Sums sums = new Sums();
    final BooleanSupplier allGave = this::allGave;
    final BooleanSupplier isReduced = this::isReduced;
    final Object absent = new Absent(this);
    volatile @Nullable Thread thread;
    long next;
    long awaited;

    Member(int index, Submitter submitter) {
      this.index = index;
      this.name = submitter.name();
      for (int s = 0; s < SLOTS; s++) {
        read[s] = submitter.backend().device().createEvent();
        owned.addFirst(read[s]);
      }
    }

    private boolean allGave() {
      for (int m = 0; m < given.length(); m++) {
        if (given.get(m) <= awaited) {
          return false;
        }
      }
      return true;
    }

    private boolean isReduced() {
      return reduced.get(slot(awaited)) > awaited;
    }
  }

  /** Words for who has not come. */
  private final class Absent {
    private final Member by;

    Absent(Member by) {
      this.by = by;
    }

    @Override
    public String toString() {
      List<String> names = new ArrayList<>();
      for (Member member : members) {
        if (given.get(member.index) <= by.awaited) {
          names.add(member.name);
        }
      }
      return names.isEmpty()
          ? "member " + members.get(owner(by.awaited)).name + " to add up its part of a sum"
          : "member " + String.join(", ", names) + " to arrive at a sum";
    }
  }

  private static int slot(long chunk) {
    return (int) (chunk % SLOTS);
  }

  private int owner(long chunk) {
    return (int) (chunk % members.size());
  }

  /** A member's part in sums of one size; made when a plan is, so that running makes no garbage. */
  Part part(int index, long bytes) {
    return new Part(members.get(index), bytes);
  }

  /** See {@link #part}. */
  final class Part {
    private final Member member;
    private final long bytes;
    private final long chunks;
    private final MemorySegment[] lastTerms = new MemorySegment[SLOTS];
    private final MemorySegment[] lastSums = new MemorySegment[SLOTS];
    private long first;

    private Part(Member member, long bytes) {
      this.member = member;
      this.bytes = bytes;
      this.chunks = (bytes + CHUNK - 1) / CHUNK;
      for (int s = 0; s < SLOTS; s++) {
        lastTerms[s] = slots[s].terms[member.index].asSlice(0, bytes(chunks - 1));
        lastSums[s] = slots[s].sum.asSlice(0, bytes(chunks - 1));
      }
    }

    private long bytes(long chunk) {
      return Math.min(CHUNK, bytes - chunk * CHUNK);
    }

    /**
     * Takes part in a sum.
     *
     * @param gives which members have a term
     * @param mine this member's
     * @param whole where the sum goes, of the same size and type
     */
    void sum(Backend backend, boolean[] gives, Storage mine, Storage whole) {
      member.thread = Thread.currentThread();
      first = member.next;
      member.next += chunks;
      boolean givesOwn = gives[member.index];
      read(0, backend, givesOwn, mine);
      for (long c = 0; c < chunks; c++) {
        if (c + 1 < chunks) {
          read(c + 1, backend, givesOwn, mine);
        }
        waiting.until(member.read[slot(first + c)]);
        give(c);
        if (owner(first + c) == member.index) {
          reduce(c, whole.tensor().type(), gives);
        }
        if (c > 0) {
          write(c - 1, backend, whole);
        }
      }
      write(chunks - 1, backend, whole);
    }

    private void read(long chunk, Backend backend, boolean gives, Storage from) {
      int slot = slot(first + chunk);
      if (gives) {
        MemorySegment term = slots[slot].terms[member.index];
        backend.get(from, chunk * CHUNK, chunk < chunks - 1 ? term : lastTerms[slot]);
      }
      backend.record(member.read[slot]);
    }

    private void give(long chunk) {
      given.set(member.index, first + chunk + 1);
      wake(members.get(owner(first + chunk)), member);
    }

    private void reduce(long chunk, DataType type, boolean[] gives) {
      member.awaited = first + chunk;
      waiting.count();
      waiting.until(member.allGave, member.absent);
      int slot = slot(first + chunk);
      long elements = bytes(chunk) / type.bytes(1);
      member.sums.reduce(type, slots[slot].terms, gives, slots[slot].sum, elements);
      reduced.set(slot, first + chunk + 1);
      for (int m = 0; m < members.size(); m++) {
        wake(members.get(m), member);
      }
    }

    private void write(long chunk, Backend backend, Storage to) {
      member.awaited = first + chunk;
      waiting.count();
      waiting.until(member.isReduced, member.absent);
      int slot = slot(first + chunk);
      backend.set(to, chunk * CHUNK, chunk < chunks - 1 ? slots[slot].sum : lastSums[slot]);
    }
  }

  private static void wake(Member member, Member by) {
    if (member != by) {
      LockSupport.unpark(member.thread);
    }
  }

  @Override
  public void close() {
    Closing.all(owned);
  }
}
