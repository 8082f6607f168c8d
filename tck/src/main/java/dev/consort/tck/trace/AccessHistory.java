// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.tck.memory.Access;
import dev.consort.tck.memory.Access.Kind;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Accesses so far, by memory, that a later one could be in conflict with. */
final class AccessHistory {
  private record Past(Access access, String agent, int time, VectorClock clock, String label) {}

  private final Map<Object, List<Past>> byMemory = new IdentityHashMap<>();
  private final List<Conflict> conflicts = new ArrayList<>();

  /** Adds accesses that one agent makes at one time of its clock. */
  void add(List<Access> accesses, String agent, int time, VectorClock clock, String label) {
    for (Access access : accesses) {
      if (access.from() < access.to()) {
        add(access, agent, time, clock, label);
      }
    }
  }

  private void add(Access access, String agent, int time, VectorClock clock, String label) {
    List<Past> pasts = byMemory.computeIfAbsent(access.memory(), memory -> new ArrayList<>());
    for (Past past : pasts) {
      if (past.access().conflicts(access) && !clock.knows(past.agent(), past.time())) {
        conflicts.add(new Conflict(past.label(), past.access(), label, access));
      }
    }
    if (access.kind() == Kind.WRITE) {
      // Whoever is in no order with what this write hides is in no order with the write either.
      pasts.removeIf(
          past ->
              past.access().from() >= access.from()
                  && past.access().to() <= access.to()
                  && clock.knows(past.agent(), past.time())
                  && !(past.agent().equals(agent) && past.time() == time));
    }
    pasts.add(new Past(access, agent, time, clock.copy(), label));
  }

  /** Brings a clock behind the agent's own earlier accesses to the same bytes. */
  void joinConflicting(String agent, Access access, VectorClock clock) {
    for (Past past : byMemory.getOrDefault(access.memory(), List.of())) {
      if (past.agent().equals(agent) && past.access().conflicts(access)) {
        clock.join(past.clock());
      }
    }
  }

  List<Conflict> conflicts() {
    return List.copyOf(conflicts);
  }
}
