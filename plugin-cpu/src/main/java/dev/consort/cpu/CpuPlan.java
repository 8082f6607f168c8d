// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Backend;
import dev.consort.api.Plan;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Segments of steps in memory outside of the heap, with collectives between them. */
final class CpuPlan implements Plan {
  /**
   * Steps for the team, or, with a member, a place in a collective: the member's term is at {@code
   * from}, or a step makes it.
   */
  record Segment(
      long steps, long count, @Nullable CpuCommMember reducer, long from, long to, long elements) {
    static Segment compute(long steps, long count) {
      return new Segment(steps, count, null, 0, 0, 0);
    }

    static Segment reduce(CpuCommMember member, long from, long to, long elements) {
      return new Segment(0, 0, member, from, to, elements);
    }

    static Segment reduceProduct(CpuCommMember member, long step, long to, long elements) {
      return new Segment(step, 1, member, 0, to, elements);
    }

    boolean isReduce() {
      return reducer != null;
    }

    CpuCommMember member() {
      if (reducer == null) {
        throw new IllegalStateException("a segment of steps has no member");
      }
      return reducer;
    }
  }

  private final CpuBackend backend;
  private final Segment[] segments;
  private final long roomBytes;
  private final Arena arena;
  private boolean closed;

  CpuPlan(CpuBackend backend, List<Segment> segments, long roomBytes, Arena arena) {
    this.backend = backend;
    this.segments = segments.toArray(Segment[]::new);
    this.roomBytes = roomBytes;
    this.arena = arena;
  }

  int segments() {
    return segments.length;
  }

  Segment segment(int index) {
    return segments[index];
  }

  /** Memory that each thread needs of its own while it runs this plan. */
  long roomBytes() {
    return roomBytes;
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public Backend backend() {
    return backend;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      backend.settle();
      arena.close();
    }
  }
}
