// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Comm;
import dev.consort.api.DataType;
import dev.consort.api.DeviceInfo;
import dev.consort.api.Event;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingDevice;
import dev.consort.tck.wrap.DelegatingEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** A sound device with one thing wrong. */
final class BrokenDevice extends DelegatingDevice {
  private static final Set<Defect> REFUSING =
      EnumSet.of(Defect.REFUSES, Defect.REFUSES_AND_COMPILES, Defect.REFUSES_IN_SILENCE);

  private final Defect defect;
  private final BufferType bufferType;

  /** For all backends, with {@link Defect#SHARES_STAGING}. */
  final MemorySegment staging = Arena.ofAuto().allocate(1 << 16);

  /** With {@link Defect#KEEPS_PLANS}. */
  final List<Plan> kept = new CopyOnWriteArrayList<>();

  BrokenDevice(int index, Defect defect) {
    super(
        new ReferenceDevice(
            ReferenceOptions.of(index)
                .adversary(
                    new Adversary(
                        5, Duration.ofNanos(200_000), Set.of(Adversary.Trait.DELAYS), List.of()))));
    this.defect = defect;
    this.bufferType = new BrokenBufferType(super.bufferType(), defect);
  }

  Defect defect() {
    return defect;
  }

  @Override
  public DeviceInfo info() {
    DeviceInfo sound = super.info();
    return defect != Defect.NUMBERED_FROM_ONE
        ? sound
        : new DeviceInfo(
            sound.plugin(),
            sound.index() + 1,
            sound.name(),
            sound.kind(),
            sound.software(),
            sound.driver(),
            sound.arithmeticClass());
  }

  @Override
  public BufferType bufferType() {
    return bufferType;
  }

  @Override
  public Support supports(Tensor node) {
    return REFUSING.contains(defect) && node.sources().getFirst().type() != DataType.F32
        ? Support.no(defect == Defect.REFUSES_IN_SILENCE ? "" : "not made for this")
        : super.supports(node);
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    if (defect == Defect.VERSIONS_ARE_IGNORED) {
      for (ProcAddress<?> standard : ProcAddresses.all()) {
        if (standard.name().equals(address.name()) && standard.type() == address.type()) {
          return super.find(new ProcAddress<>(address.name(), standard.version(), address.type()));
        }
      }
    }
    return super.find(address);
  }

  @Override
  protected DelegatingBackend wrap(Backend backend) {
    if (defect == Defect.LEAKS_THREADS) {
      Thread.ofPlatform().daemon().name("left behind").start(BrokenDevice::sleep);
    }
    return new BrokenBackend(this, backend);
  }

  private static void sleep() {
    try {
      Thread.sleep(Duration.ofMinutes(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  protected DelegatingEvent wrap(Event event) {
    return defect == Defect.EVENTS_ARE_DONE_AT_ONCE ? new HastyEvent(event) : super.wrap(event);
  }

  @Override
  protected Comm wrap(Comm comm, List<Backend> members) {
    return new BrokenComm(comm, members, defect);
  }

  private final class HastyEvent extends DelegatingEvent {
    HastyEvent(Event delegate) {
      super(BrokenDevice.this, delegate);
    }

    @Override
    public boolean isDone() {
      return true;
    }

    @Override
    public void await(Duration timeout) {}
  }
}
