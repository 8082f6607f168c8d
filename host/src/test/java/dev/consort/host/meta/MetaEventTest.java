// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MetaEventTest {
  private static final Tensor STATE = new GraphBuilder().input("x", DataType.I32, Shape.of(1024));

  @Test
  void anEventThatWasNeverRecordedIsDone() {
    MetaDevice device = meta(2, "a");
    try (Backend backend = device.createBackend();
        Event event = device.createEvent()) {
      assertThat(event.isDone()).isTrue();
      event.await(Duration.ZERO);
      backend.await(event);
      backend.synchronize();
    }
  }

  /** Data go from one meta device to another over host memory, ordered by events alone. */
  @Test
  void streamsOfOtherMetaDevicesWaitForAllMembers() {
    for (int[] sizes : new int[][] {{2, 3}, {3, 2}, {2, 2}}) {
      MetaDevice from = meta(sizes[0], "from");
      MetaDevice to = meta(sizes[1], "to");
      try (Backend giver = from.createBackend();
          Backend taker = to.createBackend();
          Event given = from.createEvent();
          Event taken = to.createEvent();
          Allocation source = from.bufferType().allocate(List.of(STATE));
          Allocation target = to.bufferType().allocate(List.of(STATE));
          Arena arena = Arena.ofShared()) {
        MemorySegment between = arena.allocate(4096, 64);
        List<MemorySegment> found = new ArrayList<>();
        for (int turn = 0; turn < 20; turn++) {
          MemorySegment news = arena.allocate(4096, 64).fill((byte) (turn + 1));
          giver.set(source.storage(STATE), 0, news);
          giver.await(taken);
          giver.get(source.storage(STATE), 0, between);
          giver.record(given);
          taker.await(given);
          taker.set(target.storage(STATE), 0, between);
          taker.record(taken);
          MemorySegment read = arena.allocate(4096, 64);
          taker.get(target.storage(STATE), 0, read);
          found.add(read);
        }
        taker.synchronize();
        giver.synchronize();
        for (int turn = 0; turn < 20; turn++) {
          assertThat(found.get(turn).toArray(ValueLayout.JAVA_BYTE))
              .as("%d to %d members, turn %d", sizes[0], sizes[1], turn)
              .containsOnly(turn + 1);
        }
      }
    }
  }

  @Test
  void aWaitKeepsToTheOlderPoint() {
    MetaDevice one = meta(2, "one");
    MetaDevice two = meta(2, "two");
    try (Backend a = one.createBackend();
        Backend b = two.createBackend();
        Event first = one.createEvent();
        Event second = two.createEvent()) {
      for (int turn = 0; turn < 20; turn++) {
        a.record(first);
        b.await(first);
        b.record(second);
        a.await(second);
        a.record(first);
      }
      a.synchronize();
      b.synchronize();
      assertThat(first.isDone()).isTrue();
      assertThat(second.isDone()).isTrue();
    }
  }

  @Test
  void awaitingGivesUpInTime() {
    Adversary hangs = Adversary.none().inject(Site.SET, 1, Fault.NEVER_DONE);
    ReferenceOptions options = ReferenceOptions.of(0).patience(Duration.ofSeconds(1));
    Device stuck = new ReferenceDevice(options.plugin("stuck").adversary(hangs));
    MetaDevice device = MetaDevice.even(List.of(new ReferenceDevice(0), stuck));
    MetaBackend backend = (MetaBackend) device.createBackend();
    try (Event event = device.createEvent();
        Allocation memory = device.bufferType().allocate(List.of(STATE));
        Arena arena = Arena.ofShared()) {
      backend.set(memory.storage(STATE), 0, arena.allocate(4096, 64));
      backend.record(event);
      assertThat(event.isDone()).isFalse();
      ConsortException error =
          catchThrowableOfType(ConsortException.class, () -> event.await(Duration.ofMillis(200)));
      assertThat(error.code()).isEqualTo(ErrorCode.TIMEOUT);
      ((ReferenceDevice) stuck).lose();
    }
  }

  private static MetaDevice meta(int members, String plugin) {
    List<Device> devices = new ArrayList<>();
    for (int m = 0; m < members; m++) {
      Adversary adversary = Adversary.seeded(m).maxDelay(Duration.ofNanos(300_000));
      devices.add(
          new ReferenceDevice(ReferenceOptions.of(m).plugin(plugin + m).adversary(adversary)));
    }
    return MetaDevice.even(devices);
  }
}
