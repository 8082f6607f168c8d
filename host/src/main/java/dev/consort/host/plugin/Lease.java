// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Keeps the plugins of some devices from being closed: as long as it is held, a plugin that is
 * replaced or removed only drains. An {@code Engine} holds one; who makes backends or buffers of
 * its own takes one before and closes it after. Thread safe.
 */
public final class Lease implements AutoCloseable {
  private static final WeakIdentityMap<Device, Generation> OWNERS = new WeakIdentityMap<>();

  private final List<Generation> held;
  private final AtomicBoolean isClosed = new AtomicBoolean();

  private Lease(List<Generation> held) {
    this.held = held;
  }

  /**
   * Holds the plugins of these devices. Devices that are no plugin's need no lease.
   *
   * @throws ConsortException CLOSED if one of the plugins was replaced or removed; the host's
   *     devices are then to be asked for again. Nothing is held then
   */
  public static Lease on(Collection<? extends Device> devices) {
    Set<Generation> owners = Collections.newSetFromMap(new IdentityHashMap<>());
    devices.forEach(device -> OWNERS.get(device).ifPresent(owners::add));
    List<Generation> held = new ArrayList<>();
    try {
      for (Generation owner : owners) {
        owner.hold();
        held.add(owner);
      }
    } catch (ConsortException e) {
      held.forEach(Generation::release);
      throw e;
    }
    return new Lease(held);
  }

  static void own(Device device, Generation generation) {
    OWNERS.put(device, generation);
  }

  /** Lets go; the last lease on a draining plugin closes it, which may block. */
  @Override
  public void close() {
    if (isClosed.compareAndSet(false, true)) {
      held.forEach(Generation::release);
    }
  }
}
