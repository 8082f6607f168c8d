// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The plugins of a host, started side by side. A plugin that can't be used has a status like the
 * others and harms none of them. Of two plugins with one name the later one waits for the earlier
 * to go. Thread safe.
 */
public final class Plugins implements AutoCloseable {
  private final List<PluginSource> sources;
  private final Map<String, String> settings;
  private final Duration limit;
  private final List<PluginListener> listeners = new CopyOnWriteArrayList<>();
  private final Object listening = new Object();
  private final Object scanning = new Object();
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private boolean closed;

  private Plugins(List<PluginSource> sources, Map<String, String> settings, Duration limit) {
    this.sources = List.copyOf(sources);
    this.settings = Map.copyOf(settings);
    this.limit = limit;
  }

  /**
   * Starts everything that the sources hold. Blocks until every plugin has answered or run out of
   * time.
   *
   * @param settings what users set for plugins, by {@code plugin.key}
   * @param limit how long one plugin may take
   * @throws ConsortException if a source itself can't be read
   */
  public static Plugins start(
      List<PluginSource> sources, Map<String, String> settings, Duration limit) {
    return start(sources, settings, limit, PluginListener.NONE);
  }

  /** As above, with a listener that hears of every step from the first. */
  public static Plugins start(
      List<PluginSource> sources,
      Map<String, String> settings,
      Duration limit,
      PluginListener listener) {
    Plugins plugins = new Plugins(sources, settings, limit);
    plugins.listen(listener);
    plugins.rescan();
    return plugins;
  }

  /** Adds a listener for steps that are still to come. */
  public void listen(PluginListener listener) {
    listeners.add(listener);
  }

  /**
   * Looks at the sources again: starts what is new, starts what was replaced beside the old
   * generation and then takes that out of use, takes out of use what is gone. A replacement that
   * fails leaves the old generation as it was. Blocks like {@link #start}.
   *
   * @throws ConsortException if a source itself can't be read; nothing is changed then
   */
  public void rescan() {
    rescan(candidate -> true);
  }

  /** As above, but leaves alone what is not ready, such as a file that is being copied. */
  void rescan(Predicate<PluginCandidate> ready) {
    synchronized (scanning) {
      if (closed) {
        return;
      }
      List<PluginCandidate> found =
          sources.stream().flatMap(source -> source.find().stream()).toList();
      removeAllBut(found);
      forgetUnloaded();
      List<Slot> changed = begin(found, ready);
      List<PluginStarter> starting =
          changed.stream()
              .map(slot -> PluginStarter.start(slot.latest(), settings, limit))
              .toList();
      starting.forEach(starter -> starter.await(limit));
      changed.forEach(this::takeUse);
      noticeUnloads();
    }
  }

  private void removeAllBut(List<PluginCandidate> found) {
    Set<String> there = found.stream().map(Plugins::key).collect(Collectors.toSet());
    Map<String, Slot> known;
    synchronized (slots) {
      known = Map.copyOf(slots);
    }
    known.forEach(
        (key, slot) -> {
          if (!there.contains(key)) {
            slot.remove();
          }
        });
  }

  private void forgetUnloaded() {
    synchronized (slots) {
      slots.values().forEach(Slot::forgetUnloaded);
      slots.values().removeIf(Slot::isEmpty);
    }
  }

  private List<Slot> begin(List<PluginCandidate> found, Predicate<PluginCandidate> ready) {
    List<Slot> changed = new ArrayList<>();
    synchronized (slots) {
      for (PluginCandidate candidate : found) {
        Slot slot = slots.getOrDefault(key(candidate), new Slot());
        if (slot.needs(candidate) && ready.test(candidate)) {
          slots.put(key(candidate), slot);
          slot.begin(candidate, this::tell);
          changed.add(slot);
        }
      }
    }
    return changed;
  }

  private static String key(PluginCandidate candidate) {
    return candidate.way() + " " + candidate.origin() + " " + candidate.label();
  }

  /** Puts a generation that was probed in the place of its predecessor. */
  private void takeUse(Slot slot) {
    Generation latest = slot.latest();
    String why = "replaced by generation " + latest.status().generation();
    if (latest.state() == PluginState.PROBED) {
      Optional<Generation> other = other(latest, slot);
      if (other.isPresent()) {
        latest.fail(
            "a plugin named %s was already loaded from %s; remove one of the two"
                .formatted(latest.status().name(), other.get().status().origin()),
            Optional.empty());
        slot.waitFor(other.get());
        return;
      }
      synchronized (slots) {
        slot.drainOthers(why);
        latest.activate();
      }
    }
    if (latest.state() != PluginState.FAILED) {
      slot.retireOthers(why);
    }
  }

  /** An active plugin of the same name that is not this one's predecessor. */
  private Optional<Generation> other(Generation generation, Slot its) {
    String name = generation.status().name();
    return generations().stream()
        .filter(each -> !its.generations().contains(each))
        .filter(each -> each.state() == PluginState.ACTIVE && each.status().name().equals(name))
        .findFirst();
  }

  private List<Generation> generations() {
    synchronized (slots) {
      return slots.values().stream().flatMap(slot -> slot.generations().stream()).toList();
    }
  }

  private void tell(PluginStatus status) {
    synchronized (listening) {
      listeners.forEach(listener -> listener.changed(status));
    }
  }

  /**
   * Asks the JVM to collect what is no longer used, and notes which retired generations have left
   * the memory. Takes some tens of milliseconds.
   */
  public void collect() {
    System.gc();
    noticeUnloads();
  }

  private void noticeUnloads() {
    generations().forEach(Generation::noticeUnload);
  }

  /** Every plugin that is here, in the order of the sources; what is gone is not listed. */
  public List<PluginStatus> statuses() {
    return history().stream().filter(s -> s.state() != PluginState.RETIRED).toList();
  }

  /** The same, with generations that were retired and may still be in memory. */
  public List<PluginStatus> history() {
    synchronized (slots) {
      return generations().stream().map(Generation::status).toList();
    }
  }

  /** The devices of all active plugins. */
  public List<Device> devices() {
    return statuses().stream()
        .filter(status -> status.state() == PluginState.ACTIVE)
        .flatMap(status -> status.devices().stream())
        .toList();
  }

  /** Closes every plugin. What was made of its devices must be closed before. */
  @Override
  public void close() {
    synchronized (scanning) {
      if (closed) {
        return;
      }
      closed = true;
      generations().reversed().forEach(each -> each.retireNow("the host was closed"));
      sources.forEach(PluginSource::close);
    }
  }
}
