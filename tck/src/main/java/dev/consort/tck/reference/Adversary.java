// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a reference device does to those who rely on more than the ordering contract grants.
 * Everything random follows from the seed and the device's index.
 *
 * @param seed where the random choices start
 * @param maxDelay the longest delay of {@link Trait#DELAYS} and {@link Trait#LATE_EVENTS}
 * @param traits what it does all the time
 * @param injections what goes wrong once
 */
public record Adversary(
    long seed, Duration maxDelay, Set<Trait> traits, List<Injection> injections) {

  /** A habit that the contract allows. */
  public enum Trait {
    /** A random pause before every command of a stream. */
    DELAYS,
    /** Set, get and copy run beside the stream, ordered by the bytes they touch. */
    CARRIED_TRANSFERS,
    /**
     * Schedules keep only the edges that data need, and plans run their steps in a random order.
     */
    BRANCHES,
    /** Events are done some time after what they wait for. */
    LATE_EVENTS,
    /** New memory and scratch memory are filled with values that show when they are read. */
    DIRTY_MEMORY
  }

  /** A call that something can happen to. */
  public enum Site {
    ALLOCATE,
    SUBMIT,
    SET,
    GET,
    COPY,
    RECORD,
    AWAIT,
    COLLECTIVE
  }

  /** What happens. */
  public enum Fault {
    /** The call throws; the device stays usable. */
    REFUSED,
    /** An allocation finds no memory. */
    OUT_OF_MEMORY,
    /** The work is accepted, and the device is lost when it gets to it. */
    DEVICE_LOST,
    /** The work is accepted and never gets done. */
    NEVER_DONE
  }

  /**
   * One fault.
   *
   * @param nth the call it happens to, counted from 1 over all backends of a device
   */
  public record Injection(Site site, int nth, Fault fault) {}

  public Adversary {
    traits = Set.copyOf(traits);
    injections = List.copyOf(injections);
  }

  /** Does nothing out of the ordinary. */
  public static Adversary none() {
    return new Adversary(0, Duration.ZERO, Set.of(), List.of());
  }

  /** All traits, with delays of up to half a millisecond. */
  public static Adversary seeded(long seed) {
    return new Adversary(seed, Duration.ofNanos(500_000), EnumSet.allOf(Trait.class), List.of());
  }

  /** This one with a fault at the n-th call, counted from 1. */
  public Adversary inject(Site site, int nth, Fault fault) {
    List<Injection> all = new ArrayList<>(injections);
    all.add(new Injection(site, nth, fault));
    return new Adversary(seed, maxDelay, traits, all);
  }

  /** This one with other delays. */
  public Adversary maxDelay(Duration longest) {
    return new Adversary(seed, longest, traits, injections);
  }

  boolean has(Trait trait) {
    return traits.contains(trait);
  }
}
