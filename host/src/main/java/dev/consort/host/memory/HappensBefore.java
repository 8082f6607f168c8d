// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.Schedule;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The transitive happens-before relation of schedules that run one after another. */
final class HappensBefore {
  private final List<BitSet> before = new ArrayList<>();

  /** Appends a schedule; all of its steps come after those of the schedules before it. */
  HappensBefore append(Schedule schedule) {
    int first = before.size();
    for (Schedule.Step step : schedule.steps()) {
      BitSet closure = new BitSet(before.size());
      closure.set(0, first);
      for (int local : step.after()) {
        closure.or(before.get(first + local));
        closure.set(first + local);
      }
      before.add(closure);
    }
    return this;
  }

  /** Whether step {@code a} is over before step {@code b} starts, in all executions. */
  boolean isBefore(int a, int b) {
    return b >= before.size() ? a < b : before.get(b).get(a);
  }
}
