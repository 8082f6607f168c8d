// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** One file, or entry of the class path, and the generations of a plugin that came from it. */
final class Slot {
  private final List<Generation> generations = new CopyOnWriteArrayList<>();
  private Optional<String> revision = Optional.empty();
  private Optional<Generation> waitsFor = Optional.empty();
  private String circumstances = "";
  private int count;

  /** Whether what is there now has not been started yet, or may be now. */
  boolean needs(PluginCandidate candidate) {
    boolean isFree =
        waitsFor.isPresent() && waitsFor.get().state().compareTo(PluginState.DRAINING) >= 0;
    boolean mayHelp =
        !generations.isEmpty()
            && latest().state() == PluginState.FAILED
            && !circumstances.equals(candidate.circumstances());
    return isFree || mayHelp || !revision.equals(Optional.of(candidate.revision()));
  }

  void begin(PluginCandidate candidate, PluginListener listener) {
    revision = Optional.of(candidate.revision());
    circumstances = candidate.circumstances();
    waitsFor = Optional.empty();
    count++;
    generations.add(new Generation(candidate, count, listener));
  }

  Generation latest() {
    return generations.getLast();
  }

  List<Generation> generations() {
    return generations;
  }

  /** Has the latest generation start again once another plugin is gone. */
  void waitFor(Generation other) {
    waitsFor = Optional.of(other);
  }

  /** Lets nothing new begin on what came before the latest generation. */
  void drainOthers(String why) {
    others().forEach(each -> each.drain(why));
  }

  /** Takes what came before the latest generation out of use. */
  void retireOthers(String why) {
    others().forEach(each -> each.retire(why));
  }

  private List<Generation> others() {
    return generations.stream().filter(each -> each != latest()).toList();
  }

  /** What it came from is gone. */
  void remove() {
    revision = Optional.empty();
    waitsFor = Optional.empty();
    generations.forEach(each -> each.retire("removed"));
  }

  /** Whether nothing is left to tell of it. */
  boolean isEmpty() {
    return generations.isEmpty();
  }

  /** Drops generations that are gone, or of which nothing was loaded. */
  void forgetUnloaded() {
    generations.removeIf(
        each -> each.state() == PluginState.RETIRED && each.status().unload() != Unload.PENDING);
  }
}
