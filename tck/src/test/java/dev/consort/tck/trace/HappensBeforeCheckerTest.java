// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.CommInit;
import dev.consort.api.CopyTensor;
import dev.consort.api.Event;
import dev.consort.api.HostSignal;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Storage;
import dev.consort.api.WirePolicy;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HappensBeforeCheckerTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  private Pipeline p = new Pipeline();

  @AfterEach
  void close() throws Exception {
    p.close();
  }

  @Test
  void aStreamIsInOrderWithItself() {
    MemorySegment host = p.host();
    p.left.set(p.a, 0, host);
    p.left.get(p.a, 0, host);
    p.left.set(p.a, 0, host);
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void aMissingWaitIsFoundAndBothSidesAreNamed() {
    stage(Wait.NONE);
    assertThat(p.conflicts())
        .singleElement()
        .satisfies(
            conflict -> {
              assertThat(conflict.first()).isEqualTo("get on reference:0 stream 0");
              assertThat(conflict.second()).isEqualTo("set on reference:1 stream 1");
              assertThat(conflict.toString()).contains("write of host[", "read of host[");
            });
  }

  @Test
  void aWaitForTheEventOrders() {
    stage(Wait.STREAM);
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void theHostWaitingOrders() {
    stage(Wait.HOST);
    assertThat(p.conflicts()).isEmpty();
  }

  private enum Wait {
    NONE,
    STREAM,
    HOST
  }

  /** From one device to the other through host memory. */
  private void stage(Wait wait) {
    MemorySegment staging = p.host();
    p.left.get(p.a, 0, staging);
    p.left.record(p.ready);
    if (wait == Wait.STREAM) {
      p.right.await(p.ready);
    } else if (wait == Wait.HOST) {
      p.ready.await(SOON);
    }
    p.right.set(p.b, 0, staging);
  }

  @Test
  void reusingAStagingSlotBeforeItsReaderIsDoneIsFound() {
    Event read = p.rightDevice.createEvent();
    MemorySegment staging = p.host();
    for (int i = 0; i < 2; i++) {
      p.left.get(p.a, 0, staging);
      p.left.record(p.ready);
      p.right.await(p.ready);
      p.right.set(p.b, 0, staging);
      p.right.record(read);
    }
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void waitingForTheReaderBeforeReusingItsSlotOrders() {
    Event read = p.rightDevice.createEvent();
    MemorySegment staging = p.host();
    for (int i = 0; i < 3; i++) {
      p.left.await(read);
      p.left.get(p.a, 0, staging);
      p.left.record(p.ready);
      p.right.await(p.ready);
      p.right.set(p.b, 0, staging);
      p.right.record(read);
    }
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void anEventRecordedBeforeTheWorkDoesNotCoverIt() {
    MemorySegment staging = p.host();
    p.left.record(p.ready);
    p.left.get(p.a, 0, staging);
    p.right.await(p.ready);
    p.right.set(p.b, 0, staging);
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void aWaitForTheWrongEventIsFound() {
    Event own = p.rightDevice.createEvent();
    MemorySegment staging = p.host();
    p.left.get(p.a, 0, staging);
    p.left.record(p.ready);
    p.right.record(own);
    p.right.await(own);
    p.right.set(p.b, 0, staging);
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void plansTouchWhatTheyReadAndWrite() {
    Plan plan = p.doubling(p.left, p.a);
    var other = p.leftDevice.createBackend();
    p.left.submit(plan);
    other.set(p.a, 0, p.host());
    assertThat(p.conflicts())
        .singleElement()
        .extracting(Conflict::first)
        .isEqualTo("submit on reference:0 stream 0");
    other.close();
  }

  @Test
  void readersMayShare() {
    Plan plan = p.doubling(p.left, p.a);
    var other = p.leftDevice.createBackend();
    p.left.submit(plan);
    other.get(p.a, 0, p.host());
    assertThat(p.conflicts()).isEmpty();
    other.close();
  }

  @Test
  void copiesBetweenStreamsOrderTheirBytesInBoth() {
    CopyTensor copy = p.leftDevice.find(ProcAddresses.COPY_TENSOR_ASYNC).orElseThrow();
    p.left.set(p.a, 0, p.host());
    copy.copy(p.left, p.a, 0, p.right, p.b, 0, Pipeline.BYTES);
    p.left.set(p.a, 0, p.host());
    p.right.get(p.b, 0, p.host());
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void copiesBetweenStreamsOrderNothingElse() {
    CopyTensor copy = p.leftDevice.find(ProcAddresses.COPY_TENSOR_ASYNC).orElseThrow();
    MemorySegment staging = p.host();
    p.left.get(p.a, 0, staging);
    Storage other = p.vector(p.leftDevice, "other");
    copy.copy(p.left, other, 0, p.right, p.b, 0, Pipeline.BYTES);
    p.right.set(p.vector(p.rightDevice, "c"), 0, staging);
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void anEventAfterACopyCoversIt() {
    CopyTensor copy = p.leftDevice.find(ProcAddresses.COPY_TENSOR_ASYNC).orElseThrow();
    var third = p.rightDevice.createBackend();
    Event copied = p.rightDevice.createEvent();
    copy.copy(p.left, p.a, 0, p.right, p.b, 0, Pipeline.BYTES);
    p.right.record(copied);
    third.await(copied);
    third.get(p.b, 0, p.host());
    assertThat(p.conflicts()).isEmpty();
    copy.copy(p.left, p.a, 0, p.right, p.b, 0, Pipeline.BYTES);
    third.get(p.b, 0, p.host());
    // The second copy overtakes the first read, the second read the second copy.
    assertThat(p.conflicts()).hasSize(2);
    third.close();
  }

  @Test
  void collectivesJoinTheirMembers() {
    CommInit init = p.leftDevice.find(ProcAddresses.COMM_INIT).orElseThrow();
    MemorySegment staging = p.host();
    try (var comm = init.init(List.of(p.left, p.right), WirePolicy.EXACT).orElseThrow()) {
      p.left.get(p.a, 0, staging);
      comm.allreduce(List.of(p.a, p.b));
      p.right.set(p.b, 0, staging);
      assertThat(p.conflicts()).isEmpty();
    }
  }

  @Test
  void aHostSignalThatComesAfterTheWaitOrders() {
    HostSignal signals = p.rightDevice.find(ProcAddresses.HOST_SIGNAL).orElseThrow();
    Event signal = signals.createEvent();
    MemorySegment staging = p.host();
    signals.arm(signal);
    p.right.await(signal);
    p.right.set(p.b, 0, staging);
    p.left.get(p.a, 0, staging);
    p.left.record(p.ready);
    p.ready.await(SOON);
    signals.signal(signal);
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void aHostSignalThatComesTooEarlyIsFound() {
    HostSignal signals = p.rightDevice.find(ProcAddresses.HOST_SIGNAL).orElseThrow();
    Event signal = signals.createEvent();
    MemorySegment staging = p.host();
    signals.arm(signal);
    p.right.await(signal);
    p.right.set(p.b, 0, staging);
    p.left.get(p.a, 0, staging);
    signals.signal(signal);
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void theHostTouchingItsMemoryTooEarlyIsFound() {
    MemorySegment in = p.host();
    p.left.set(p.a, 0, in);
    p.trace.hostWrites(in);
    assertThat(p.conflicts()).hasSize(1);
  }

  @Test
  void theHostTouchingItsMemoryAfterTheEventIsInOrder() {
    MemorySegment in = p.host();
    p.left.set(p.a, 0, in);
    p.left.record(p.ready);
    p.ready.await(SOON);
    p.trace.hostWrites(in);
    assertThat(p.conflicts()).isEmpty();
  }

  @Test
  void whatOneThreadWaitedForOrdersAnothersWorkOnlyIfCallsCountAsOrdered() throws Exception {
    waitThenSubmitElsewhere();
    assertThat(p.conflicts()).isEmpty();
    p.close();
    p = new Pipeline(Trace.HostOrder.EACH_THREAD);
    waitThenSubmitElsewhere();
    assertThat(p.conflicts()).hasSize(1);
  }

  private void waitThenSubmitElsewhere() throws InterruptedException {
    MemorySegment staging = p.host();
    p.left.get(p.a, 0, staging);
    p.left.record(p.ready);
    p.ready.await(SOON);
    Thread other = Thread.ofPlatform().start(() -> p.right.set(p.b, 0, staging));
    other.join();
  }
}
