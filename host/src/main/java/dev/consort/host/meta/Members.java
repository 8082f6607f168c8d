// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.ProcAddresses;
import dev.consort.host.Closing;
import dev.consort.host.memory.ComputeMemory;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a meta backend keeps for its members from plan to plan: comms, meeting place, memory. */
final class Members implements AutoCloseable {
  private final MetaDevice device;
  private final List<Submitter> submitters;
  private final Waiting waiting;
  private final List<Optional<ComputeMemory>> memory = new ArrayList<>();
  private final Map<BitSet, List<Comm>> comms = new HashMap<>();
  private final Map<BitSet, Rendezvous> places = new HashMap<>();

  Members(MetaDevice device, List<Submitter> submitters, Waiting waiting) {
    this.device = device;
    this.submitters = submitters;
    this.waiting = waiting;
    submitters.forEach(s -> memory.add(Optional.empty()));
  }

  int count() {
    return submitters.size();
  }

  Submitter submitter(int member) {
    return submitters.get(member);
  }

  ComputeMemory memory(int member) {
    if (memory.get(member).isEmpty()) {
      var type = device.members().get(member).bufferType();
      memory.set(member, Optional.of(new ComputeMemory(type)));
    }
    return memory.get(member).get();
  }

  /** Native comms among the active members: one for each plugin that owns several and offers it. */
  List<Comm> comms(boolean[] active) {
    return comms.computeIfAbsent(key(active), k -> connect(active));
  }

  Rendezvous place(boolean[] active) {
    return places.computeIfAbsent(
        key(active),
        k ->
            new Rendezvous(
                k.stream().mapToObj(submitters::get).toArray(Submitter[]::new), waiting));
  }

  private List<Comm> connect(boolean[] active) {
    Map<String, List<Backend>> byPlugin = new LinkedHashMap<>();
    for (int m = 0; m < submitters.size(); m++) {
      if (active[m]) {
        Backend backend = submitters.get(m).backend();
        String plugin = backend.device().info().plugin();
        byPlugin.computeIfAbsent(plugin, p -> new ArrayList<>()).add(backend);
      }
    }
    List<Comm> made = new ArrayList<>();
    try {
      for (List<Backend> group : byPlugin.values()) {
        Optional<CommInit> init = group.getFirst().device().find(ProcAddresses.COMM_INIT);
        if (group.size() > 1 && init.isPresent()) {
          init.get().init(group, device.wire()).ifPresent(made::add);
        }
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(made);
      throw e;
    }
    return made;
  }

  private static BitSet key(boolean[] active) {
    BitSet set = new BitSet();
    for (int m = 0; m < active.length; m++) {
      set.set(m, active[m]);
    }
    return set;
  }

  /** Ends the comms; their members' streams are at rest, or failed. */
  void closeComms() {
    Closing.all(comms.values().stream().flatMap(List::stream).toList());
  }

  /** Frees the memory that the members' streams used, which are closed. */
  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>(places.values());
    memory.forEach(own -> own.ifPresent(all::add));
    Closing.all(all);
  }
}
