// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Injection;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.Adversary.Trait;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** An adversary at work on one device: counts calls and draws delays. Thread safe. */
final class Mischief {
  private final Adversary adversary;
  private final Device device;
  private final Random random;
  private final Map<Site, AtomicInteger> calls = new EnumMap<>(Site.class);

  Mischief(Adversary adversary, Device device, int index) {
    this.adversary = adversary;
    this.device = device;
    this.random = new Random(adversary.seed() * 31 + index);
    for (Site site : Site.values()) {
      calls.put(site, new AtomicInteger());
    }
  }

  boolean has(Trait trait) {
    return adversary.has(trait);
  }

  /** Counts a call; throws if it is to be refused, else says what happens to its work. */
  Optional<Fault> at(Site site) {
    int nth = calls.get(site).incrementAndGet();
    for (Injection injection : adversary.injections()) {
      if (injection.site() == site && injection.nth() == nth) {
        switch (injection.fault()) {
          case REFUSED -> throw error(ErrorCode.INVALID_ARGUMENT, site, nth, "refused on purpose");
          case OUT_OF_MEMORY ->
              throw error(ErrorCode.OUT_OF_MEMORY, site, nth, "out of memory on purpose");
          case DEVICE_LOST, NEVER_DONE -> {
            return Optional.of(injection.fault());
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Nanoseconds to wait, 0 without the trait. */
  long delay(Trait trait) {
    long longest = adversary.maxDelay().toNanos();
    return has(trait) && longest > 0 ? random.nextLong(longest) : 0;
  }

  int choose(int among) {
    return random.nextInt(among);
  }

  private ConsortException error(ErrorCode code, Site site, int nth, String message) {
    return ConsortException.of(code, message + ", call " + nth)
        .device(device)
        .operation(site.name().toLowerCase())
        .build();
  }
}
