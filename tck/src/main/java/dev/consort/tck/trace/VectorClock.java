// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import java.util.HashMap;
import java.util.Map;

/** How far each agent's past is known (Fidge, 1988; Mattern, 1989). */
final class VectorClock {
  private final Map<String, Integer> known;

  VectorClock() {
    known = new HashMap<>();
  }

  private VectorClock(Map<String, Integer> known) {
    this.known = new HashMap<>(known);
  }

  VectorClock copy() {
    return new VectorClock(known);
  }

  void join(VectorClock other) {
    other.known.forEach((agent, time) -> known.merge(agent, time, Math::max));
  }

  /** The agent's next time. */
  int tick(String agent) {
    return known.merge(agent, 1, Integer::sum);
  }

  boolean knows(String agent, int time) {
    return known.getOrDefault(agent, 0) >= time;
  }
}
