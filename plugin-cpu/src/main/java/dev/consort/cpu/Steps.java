// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Steps in order; puts a barrier only where a step touches memory that the ones before it use. */
final class Steps {
  private final List<Step> steps = new ArrayList<>();
  private final List<Step> open = new ArrayList<>();
  private long roomBytes = 4096;

  void add(Step step) {
    if (open.stream().anyMatch(step::conflicts)) {
      steps.getLast().barrier();
      open.clear();
    }
    open.add(step);
    steps.add(step);
  }

  /** Asks for memory that every thread has of its own. */
  void room(long bytes) {
    roomBytes = Math.max(roomBytes, bytes);
  }

  long roomBytes() {
    return roomBytes;
  }

  boolean isEmpty() {
    return steps.isEmpty();
  }

  int count() {
    return steps.size();
  }

  /** Tells every step with a barrier what weights are read next behind it. */
  private void lookAhead() {
    Step next = null;
    for (Step step : steps.reversed()) {
      if (next != null && step.hasBarrier()) {
        step.ahead(next.streamed());
      }
      if (!step.streamed().isEmpty()) {
        next = step;
      }
    }
  }

  /** The steps as the kernels read them; the last one ends with a barrier. */
  MemorySegment write(Arena arena) {
    MemorySegment all = arena.allocate((long) StepLayout.STEP_BYTES * steps.size(), 64);
    steps.getLast().barrier();
    lookAhead();
    for (int i = 0; i < steps.size(); i++) {
      steps.get(i).write(all.asSlice((long) i * StepLayout.STEP_BYTES, StepLayout.STEP_BYTES));
    }
    return all;
  }
}
