// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;

/** One way to run steps. Thread safe; a segment is run by all threads of a team at once. */
interface Kernels {
  /** What it is called in settings and reports: {@code avx512}, {@code avx2}, {@code portable}. */
  String name();

  /**
   * Runs steps on one thread of a team; every thread of the team makes the same call.
   *
   * @param steps address of the first step
   * @param team address of {@link StepLayout#TEAM_BYTES} bytes that the threads share
   * @param thread which of the threads this is, from 0
   * @param room address of memory of this thread's own
   */
  void run(long steps, long count, long team, int threads, int thread, long room);

  /** Zeroed memory. @throws dev.consort.api.ConsortException OUT_OF_MEMORY */
  Allocated allocate(long bytes);

  /** Reads bytes of a packed tensor of the given row length and rows as its data type has them. */
  void unpack(View packed, long offset, MemorySegment to);

  /** Throws what went wrong in a run, after it. */
  default void check() {}

  static ConsortException outOfMemory(long bytes) {
    return new ConsortException(
        ErrorCode.OUT_OF_MEMORY,
        "the system has no %d bytes left; use a smaller model, context or batch".formatted(bytes));
  }

  /** Memory and how it is given back. */
  record Allocated(MemorySegment segment, Runnable free) {}
}
