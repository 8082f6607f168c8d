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
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingDevice;
import dev.consort.tck.wrap.DelegatingEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What streams of meta devices owe each other when something fails or is closed. */
@Timeout(60)
class MetaStreamTest {
  private static final Tensor TENSOR = new GraphBuilder().input("x", DataType.F32, Shape.of(64));

  @Test
  void aStreamThatWaitsForOneThatFailedFailsToo() {
    MetaDevice failing = two("failing", Adversary.none().inject(Site.SET, 1, Fault.REFUSED));
    MetaDevice healthy = two("healthy", Adversary.none());
    try (Arena arena = Arena.ofShared();
        Allocation there = failing.bufferType().allocate(List.of(TENSOR));
        Event event = failing.createEvent();
        Gate gate = new Gate(healthy);
        Backend first = failing.createBackend();
        Backend second = healthy.createBackend()) {
      first.await(gate);
      first.set(there.storage(TENSOR), 0, arena.allocate(TENSOR.bytes(), 64));
      first.record(event);
      second.await(event);
      gate.open();
      ConsortException error = catchThrowableOfType(ConsortException.class, second::synchronize);
      assertThat(error).isNotNull().hasMessageContaining("failing:0");
    }
  }

  @Test
  void anEventMayBeClosedWhileAStreamWaitsForIt() {
    Adversary slow = Adversary.seeded(3).maxDelay(Duration.ofMillis(20));
    MetaDevice slowDevice = two("slow", slow);
    MetaDevice other = two("other", Adversary.none());
    try (Arena arena = Arena.ofShared();
        Allocation there = slowDevice.bufferType().allocate(List.of(TENSOR));
        Allocation here = other.bufferType().allocate(List.of(TENSOR));
        Backend first = slowDevice.createBackend();
        Backend second = other.createBackend()) {
      MemorySegment written = arena.allocate(TENSOR.bytes(), 64).fill((byte) 7);
      MemorySegment passed = arena.allocate(TENSOR.bytes(), 64);
      MemorySegment read = arena.allocate(TENSOR.bytes(), 64);
      Storage from = there.storage(TENSOR);
      Storage to = here.storage(TENSOR);
      first.set(from, 0, written);
      first.get(from, 0, passed);
      Event event = slowDevice.createEvent();
      first.record(event);
      second.await(event);
      event.close();
      second.set(to, 0, passed);
      second.get(to, 0, read);
      second.synchronize();
      assertThat(read.mismatch(written)).isEqualTo(-1);
    }
  }

  @Test
  void aClosedBackendSaysSo() {
    MetaDevice device = two("closed", Adversary.none());
    try (Event event = device.createEvent()) {
      Backend backend = device.createBackend();
      backend.close();
      for (Runnable call : List.<Runnable>of(backend::synchronize, () -> backend.record(event))) {
        ConsortException error = catchThrowableOfType(ConsortException.class, call::run);
        assertThat(error).isNotNull();
        assertThat(error.code()).isEqualTo(ErrorCode.CLOSED);
      }
      backend.close();
    }
  }

  private static MetaDevice two(String plugin, Adversary adversary) {
    List<Device> members =
        List.of(
            new Strict(
                new ReferenceDevice(ReferenceOptions.of(0).plugin(plugin).adversary(adversary))),
            new ReferenceDevice(ReferenceOptions.of(1).plugin(plugin)));
    return MetaDevice.even(members);
  }

  /** An event of another plugin's device, done when the test says so. */
  private record Gate(Device device, CountDownLatch latch) implements Event {
    Gate(Device device) {
      this(device, new CountDownLatch(1));
    }

    void open() {
      latch.countDown();
    }

    @Override
    public boolean isDone() {
      return latch.getCount() == 0;
    }

    @Override
    public void await(Duration timeout) {
      try {
        assertThat(latch.await(timeout.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      open();
    }
  }

  /** A device whose events can't be waited for once they are closed. */
  private static final class Strict extends DelegatingDevice {
    Strict(Device delegate) {
      super(delegate);
    }

    @Override
    protected DelegatingEvent wrap(Event event) {
      return new DelegatingEvent(this, event) {
        private volatile boolean closed;

        @Override
        public void await(Duration timeout) {
          if (closed) {
            throw new ConsortException(ErrorCode.CLOSED, "the event was closed before");
          }
          super.await(timeout);
        }

        @Override
        public void close() {
          closed = true;
          super.close();
        }
      };
    }
  }
}
