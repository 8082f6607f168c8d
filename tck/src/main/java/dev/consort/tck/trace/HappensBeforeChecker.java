// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.tck.memory.Access;
import dev.consort.tck.trace.Trace.Moment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds accesses of a trace that the ordering contract does not order. It grants what the contract
 * grants and nothing that a device happened to do: streams are in order, copies between streams
 * wait for the bytes they touch, events and host calls order what they say.
 *
 * <p>A plan is one piece of work here: collectives recorded inside plans order nothing.
 */
public final class HappensBeforeChecker {
  /** Work that a stream has not done yet, and what the host knew when it asked for it. */
  private record Queued(Trace.Entry entry, VectorClock asked) {}

  /** A copy that is carried beside the streams. */
  private record Carried(Access access, VectorClock done) {}

  private static final class Lane {
    final VectorClock clock = new VectorClock();
    final Deque<Queued> queue = new ArrayDeque<>();
    final List<Carried> carried = new ArrayList<>();
  }

  private final Map<String, Lane> lanes = new LinkedHashMap<>();
  private final Map<String, VectorClock> hosts = new LinkedHashMap<>();
  private final Map<Moment, VectorClock> moments = new IdentityHashMap<>();
  private final AccessHistory history = new AccessHistory();
  private int copies;

  private HappensBeforeChecker() {}

  /** The conflicts of a trace; none if memory was used in order. */
  public static List<Conflict> check(Trace trace) {
    HappensBeforeChecker checker = new HappensBeforeChecker();
    trace.entries().forEach(checker::add);
    checker.drain();
    return checker.history.conflicts();
  }

  private void add(Trace.Entry entry) {
    VectorClock host = hosts.computeIfAbsent(entry.host(), name -> new VectorClock());
    int now = host.tick(entry.host());
    switch (entry) {
      case Trace.Work work -> queue(work.stream(), work, host);
      case Trace.Recorded recorded -> queue(recorded.stream(), recorded, host);
      case Trace.Awaited awaited -> queue(awaited.stream(), awaited, host);
      case Trace.Transfer transfer -> {
        queue(transfer.from(), transfer, host);
        queue(transfer.to(), transfer, host);
      }
      case Trace.Collective collective ->
          collective.streams().forEach(stream -> queue(stream, collective, host));
      case Trace.Signalled signalled -> moments.put(signalled.moment(), host.copy());
      case Trace.Seen seen -> {
        drain();
        VectorClock moment = moments.get(seen.moment());
        if (moment != null) {
          host.join(moment);
        }
      }
      case Trace.Synchronized done -> {
        drain();
        Lane lane = lane(done.stream());
        lane.carried.forEach(copy -> lane.clock.join(copy.done()));
        host.join(lane.clock);
        lane.carried.clear();
      }
      case Trace.Touched touched ->
          history.add(List.of(touched.access()), entry.host(), now, host, "the host's own access");
    }
  }

  private void queue(String stream, Trace.Entry entry, VectorClock host) {
    lane(stream).queue.add(new Queued(entry, host.copy()));
  }

  private Lane lane(String stream) {
    return lanes.computeIfAbsent(stream, name -> new Lane());
  }

  /** Does all work that waits for nothing. */
  private void drain() {
    boolean moved = true;
    while (moved) {
      moved = false;
      for (Map.Entry<String, Lane> lane : lanes.entrySet()) {
        while (step(lane.getKey(), lane.getValue())) {
          moved = true;
        }
      }
    }
  }

  private boolean step(String stream, Lane lane) {
    Queued next = lane.queue.peek();
    if (next == null || !ready(next.entry())) {
      return false;
    }
    switch (next.entry()) {
      case Trace.Transfer transfer -> transfer(transfer);
      case Trace.Collective collective -> collective(collective);
      case Trace.Work work -> {
        lane.queue.remove();
        lane.clock.join(next.asked());
        waitForCopies(lane, work.accesses());
        int time = lane.clock.tick(stream);
        history.add(
            work.accesses(), stream, time, lane.clock, "%s on %s".formatted(work.label(), stream));
      }
      case Trace.Recorded recorded -> {
        lane.queue.remove();
        lane.clock.join(next.asked());
        VectorClock moment = lane.clock.copy();
        lane.carried.forEach(copy -> moment.join(copy.done()));
        moments.put(recorded.moment(), moment);
      }
      case Trace.Awaited awaited -> {
        lane.queue.remove();
        lane.clock.join(next.asked());
        lane.clock.join(moments.get(awaited.moment()));
      }
      default -> throw new IllegalStateException("no work of a stream: " + next.entry());
    }
    return true;
  }

  private boolean ready(Trace.Entry entry) {
    return switch (entry) {
      case Trace.Awaited awaited -> moments.containsKey(awaited.moment());
      case Trace.Transfer transfer ->
          isNext(transfer.from(), transfer) && isNext(transfer.to(), transfer);
      case Trace.Collective collective ->
          collective.streams().stream().allMatch(stream -> isNext(stream, collective));
      default -> true;
    };
  }

  private boolean isNext(String stream, Trace.Entry entry) {
    Queued next = lane(stream).queue.peek();
    return next != null && next.entry() == entry;
  }

  private void transfer(Trace.Transfer transfer) {
    String agent = "copy " + copies++;
    VectorClock clock = new VectorClock();
    takePart(transfer.from(), transfer.read(), clock);
    if (!transfer.to().equals(transfer.from())) {
      takePart(transfer.to(), transfer.write(), clock);
    }
    history.joinConflicting(transfer.from(), transfer.read(), clock);
    history.joinConflicting(transfer.to(), transfer.write(), clock);
    int time = clock.tick(agent);
    history.add(
        List.of(transfer.read(), transfer.write()),
        agent,
        time,
        clock,
        "copy from %s to %s".formatted(transfer.from(), transfer.to()));
    lane(transfer.from()).carried.add(new Carried(transfer.read(), clock));
    lane(transfer.to()).carried.add(new Carried(transfer.write(), clock));
  }

  /** What was asked for, and earlier copies of that stream that touch the same bytes. */
  private void takePart(String stream, Access access, VectorClock clock) {
    Lane lane = lane(stream);
    clock.join(lane.queue.remove().asked());
    for (Carried copy : lane.carried) {
      if (copy.access().conflicts(access)) {
        clock.join(copy.done());
      }
    }
  }

  private void collective(Trace.Collective collective) {
    VectorClock all = new VectorClock();
    for (int i = 0; i < collective.streams().size(); i++) {
      Lane lane = lane(collective.streams().get(i));
      lane.clock.join(lane.queue.remove().asked());
      waitForCopies(lane, List.of(collective.accesses().get(i)));
      all.join(lane.clock);
    }
    for (int i = 0; i < collective.streams().size(); i++) {
      String stream = collective.streams().get(i);
      int time = all.tick(stream);
      history.add(
          List.of(collective.accesses().get(i)), stream, time, all, "collective on " + stream);
    }
    collective.streams().forEach(stream -> lane(stream).clock.join(all));
  }

  private static void waitForCopies(Lane lane, List<Access> accesses) {
    for (Carried copy : lane.carried) {
      if (accesses.stream().anyMatch(copy.access()::conflicts)) {
        lane.clock.join(copy.done());
      }
    }
  }
}
