// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A place in a stream's queue, used again and again. */
final class Task {
  enum Kind {
    RUN,
    MOVE,
    MOVE_2D,
    UNPACK,
    RECORD,
    AWAIT,
    REDUCE
  }

  Kind kind = Kind.RUN;
  @Nullable CpuPlan plan;
  @Nullable CpuEvent event;
  long sequence;
  @Nullable CpuCommMember member;
  @Nullable MemorySegment from;
  @Nullable MemorySegment to;
  @Nullable View packed;
  long offset;
  long fromStride;
  long toStride;
  long rowBytes;
  long rows;

  /** Forgets what it held, so that nothing is kept alive. */
  void clear() {
    plan = null;
    event = null;
    member = null;
    from = null;
    to = null;
    packed = null;
  }
}
