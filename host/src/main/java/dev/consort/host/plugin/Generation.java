// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One life of one plugin, from a file that was found to a class loader that is gone. The same for
 * every way in. Thread safe; what a plugin gave to be closed runs outside the lock.
 */
final class Generation {
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(30);

  private final PluginCandidate candidate;
  private final PluginListener listener;
  private final List<Runnable> closers = new ArrayList<>();
  private Optional<WeakReference<ClassLoader>> loader = Optional.empty();
  private PluginStatus status;
  private String end = "";
  private int leases;
  private boolean isStarting = true;
  private Optional<PluginState> ending = Optional.empty();

  Generation(PluginCandidate candidate, int number, PluginListener listener) {
    this.candidate = candidate;
    this.listener = listener;
    this.status = PluginStatus.found(candidate, number);
    listener.changed(status);
  }

  PluginCandidate candidate() {
    return candidate;
  }

  synchronized PluginStatus status() {
    return status;
  }

  PluginState state() {
    return status().state();
  }

  synchronized void verified(VerifiedPlugin plugin) {
    set(status.verified(plugin.spiVersion(), plugin.sha256()));
  }

  /** Remembers the class loader, to see whether it goes; one that is shared never does. */
  synchronized void loaded(ClassLoader its) {
    loader =
        candidate.way() == PluginWay.CLASS_PATH
            ? Optional.empty()
            : Optional.of(new WeakReference<>(its));
  }

  synchronized void resolved(String name) {
    set(status.named(PluginState.RESOLVED, name, status.version(), List.of()));
  }

  synchronized void probed(String version, List<Device> devices) {
    set(status.named(PluginState.PROBED, status.name(), version, devices));
  }

  /** Its devices are the host's from now on. */
  synchronized void activate() {
    status.devices().forEach(device -> Lease.own(device, this));
    set(status.named(PluginState.ACTIVE, status.name(), status.version(), status.devices()));
  }

  /** Closes something when this generation ends, last things first. */
  synchronized void atEnd(Runnable close) {
    closers.add(close);
  }

  /** The thread that started it came back, perhaps after it was given up. */
  void started() {
    synchronized (this) {
      isStarting = false;
    }
    if (state().isEnd()) {
      close();
    }
  }

  /** It works but has no device here. */
  void unavailable(String reason) {
    end(PluginState.UNAVAILABLE, reason, Optional.empty());
  }

  /** It can't be used. Does nothing if it has ended already. */
  void fail(String reason, Optional<Throwable> cause) {
    end(PluginState.FAILED, reason, cause);
  }

  synchronized void hold() {
    if (status.state() != PluginState.ACTIVE) {
      throw new ConsortException(
          ErrorCode.CLOSED,
          "generation %d of the plugin %s is no longer used (%s); ask the host for its devices again"
              .formatted(status.generation(), status.name(), end));
    }
    leases++;
  }

  void release() {
    boolean isLast;
    synchronized (this) {
      leases--;
      isLast = leases == 0 && status.state() == PluginState.DRAINING;
    }
    if (isLast) {
      end(PluginState.RETIRED, end, Optional.empty());
    }
  }

  /**
   * Takes it out of use, and closes it: now, or when the last lease on it is given back.
   *
   * @param why as in {@code removed}
   */
  void retire(String why) {
    if (drain(why) == 0) {
      end(PluginState.RETIRED, why, Optional.empty());
    }
  }

  /** As above, but whether or not something still runs on it. */
  void retireNow(String why) {
    drain(why);
    end(PluginState.RETIRED, why, Optional.empty());
  }

  /**
   * Lets nothing new begin on it.
   *
   * @return how many leases are held on it
   */
  synchronized int drain(String why) {
    if (status.state() == PluginState.ACTIVE) {
      end = why;
      set(status.ended(PluginState.DRAINING, why, Optional.empty()));
    }
    return leases;
  }

  /** Sees whether its class loader is gone. */
  synchronized void noticeUnload() {
    if (status.unload() == Unload.PENDING && loader.orElseThrow().refersTo(null)) {
      set(status.unloaded(Unload.COLLECTED));
    }
  }

  private void end(PluginState state, String why, Optional<Throwable> cause) {
    synchronized (this) {
      if (ending.isPresent() && (ending.get() == state || state != PluginState.RETIRED)) {
        return;
      }
      ending = Optional.of(state);
    }
    String trouble = close();
    synchronized (this) {
      if (ending.get() != state) {
        return;
      }
      PluginStatus next =
          status.ended(state, trouble.isEmpty() ? why : why + "; " + trouble, cause);
      boolean leaves = state == PluginState.RETIRED && loader.isPresent();
      set(leaves ? next.unloaded(Unload.PENDING) : next);
    }
  }

  /** What is still starting is closed when it has come back: it needs its classes until then. */
  private String close() {
    List<Runnable> open;
    synchronized (this) {
      if (isStarting) {
        return "";
      }
      open = List.copyOf(closers.reversed());
      closers.clear();
    }
    return Containment.close(status().name(), open, CLOSE_LIMIT);
  }

  private void set(PluginStatus next) {
    PluginState before = status.state();
    boolean isStep = next.state() != before;
    if (isStep && (!next.state().follows(before) || ending.isPresent() && !next.state().isEnd())) {
      throw new IllegalStateException("it can't become " + next.state() + " after " + before);
    }
    status = next;
    listener.changed(next);
  }
}
