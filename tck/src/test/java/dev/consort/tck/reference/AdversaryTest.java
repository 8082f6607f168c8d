// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.GraphBuilder;
import dev.consort.api.HostSignal;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Faults surface as the contract says: named, at the next synchronizing call, on that device. */
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AdversaryTest {
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    arena.close();
  }

  private static ReferenceDevice device(int index, Adversary adversary) {
    return new ReferenceDevice(ReferenceOptions.of(index).adversary(adversary).patience(PATIENCE));
  }

  private static Storage vector(Device device) {
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(64));
    return device.bufferType().allocate(List.of(tensor)).storage(tensor);
  }

  private MemorySegment host() {
    return arena.allocate(256, 64);
  }

  /** Holds a stream back until it is closed, so that a fault comes after all calls were made. */
  private record Held(HostSignal signals, Event signal) implements AutoCloseable {
    Held(Device device, Backend backend) {
      this(device.find(ProcAddresses.HOST_SIGNAL).orElseThrow(), backend);
    }

    private Held(HostSignal signals, Backend backend) {
      this(signals, signals.createEvent());
      signals.arm(signal);
      backend.await(signal);
    }

    @Override
    public void close() {
      signals.signal(signal);
    }
  }

  private static ConsortException thrown(Runnable call) {
    return catchThrowableOfType(ConsortException.class, call::run);
  }

  @Test
  void aLostDeviceSaysSoAtTheNextSynchronizingCallAndEverAfter() {
    ReferenceDevice device = device(3, Adversary.none().inject(Site.SET, 2, Fault.DEVICE_LOST));
    Storage x = vector(device);
    try (Backend backend = device.createBackend();
        Event event = device.createEvent()) {
      backend.set(x, 0, host());
      backend.synchronize();
      backend.set(x, 0, host());
      ConsortException failure = thrown(backend::synchronize);
      assertThat(failure.code()).isEqualTo(ErrorCode.DEVICE_FAILED);
      assertThat(failure.device()).isEqualTo("reference:3");
      assertThat(failure.plugin()).isEqualTo("reference");
      assertThat(failure.getMessage()).contains("lost on purpose");
      for (Runnable call :
          List.<Runnable>of(
              () -> backend.set(x, 0, host()),
              () -> backend.record(event),
              backend::synchronize,
              device::createBackend,
              () -> device.bufferType().allocate(64))) {
        assertThat(thrown(call).code()).isEqualTo(ErrorCode.DEVICE_FAILED);
      }
    }
  }

  @Test
  void anEventBehindTheLossFailsInsteadOfComing() {
    ReferenceDevice device = device(0, Adversary.none().inject(Site.GET, 1, Fault.DEVICE_LOST));
    Storage x = vector(device);
    try (Backend backend = device.createBackend();
        Event before = device.createEvent();
        Event behind = device.createEvent()) {
      backend.record(before);
      try (Held held = new Held(device, backend)) {
        backend.get(x, 0, host());
        backend.record(behind);
      }
      before.await(Duration.ofSeconds(5));
      ConsortException failure = thrown(() -> behind.await(Duration.ofSeconds(5)));
      assertThat(failure.code()).isEqualTo(ErrorCode.DEVICE_FAILED);
    }
  }

  @Test
  void theOtherDeviceGoesOn() {
    ReferenceDevice lost = device(0, Adversary.none().inject(Site.SET, 1, Fault.DEVICE_LOST));
    ReferenceDevice sound = device(1, Adversary.none());
    Storage x = vector(lost);
    Storage y = vector(sound);
    try (Backend first = lost.createBackend();
        Backend waiting = sound.createBackend();
        Backend second = sound.createBackend();
        Event event = lost.createEvent()) {
      try (Held held = new Held(lost, first)) {
        first.set(x, 0, host());
        first.record(event);
        waiting.await(event);
      }
      ConsortException failure = thrown(waiting::synchronize);
      assertThat(failure.code()).isEqualTo(ErrorCode.DEVICE_FAILED);
      second.set(y, 0, host());
      second.synchronize();
    }
  }

  @Test
  void refusedCallsThrowAndLeaveTheDeviceUsable() {
    ReferenceDevice device = device(0, Adversary.none().inject(Site.SET, 1, Fault.REFUSED));
    Storage x = vector(device);
    try (Backend backend = device.createBackend()) {
      assertThat(thrown(() -> backend.set(x, 0, host())).getMessage())
          .contains("reference:0 set", "refused on purpose");
      backend.set(x, 0, host());
      backend.synchronize();
    }
  }

  @Test
  void theNthAllocationRunsOutOfMemoryAndNothingStaysAllocated() {
    ReferenceDevice device =
        new ReferenceDevice(
            ReferenceOptions.of(0)
                .memory(1 << 20, 512)
                .adversary(Adversary.none().inject(Site.ALLOCATE, 2, Fault.OUT_OF_MEMORY)));
    GraphBuilder builder = new GraphBuilder();
    List<Tensor> tensors =
        List.of(
            builder.input("a", DataType.F32, Shape.of(100)),
            builder.input("b", DataType.F32, Shape.of(100)));
    assertThat(thrown(() -> device.bufferType().allocate(tensors)).code())
        .isEqualTo(ErrorCode.OUT_OF_MEMORY);
    assertThat(device.memory().free()).isEqualTo(device.memory().total());
    try (Allocation allocation = device.bufferType().allocate(tensors)) {
      assertThat(allocation.buffers()).hasSize(2);
    }
  }

  @Test
  void memoryIsLimitedWithoutAnyFault() {
    ReferenceDevice device = new ReferenceDevice(ReferenceOptions.of(0).memory(1000, 800));
    var held = device.bufferType().allocate(800);
    assertThat(thrown(() -> device.bufferType().allocate(300)).code())
        .isEqualTo(ErrorCode.OUT_OF_MEMORY);
    assertThat(thrown(() -> device.bufferType().allocate(801)).code())
        .isEqualTo(ErrorCode.INVALID_ARGUMENT);
    held.close();
    device.bufferType().allocate(300).close();
  }

  @Test
  void aMemberThatDoesNotArriveIsNamedAndAllMembersHaveFailed() {
    List<ReferenceDevice> devices =
        List.of(
            device(0, Adversary.none()),
            device(1, Adversary.none().inject(Site.COLLECTIVE, 1, Fault.NEVER_DONE)),
            device(2, Adversary.none()));
    List<Backend> members = devices.stream().map(ReferenceDevice::createBackend).toList();
    CommInit init = devices.getFirst().find(ProcAddresses.COMM_INIT).orElseThrow();
    Comm comm = init.init(members, WirePolicy.EXACT).orElseThrow();
    comm.allreduce(devices.stream().map(AdversaryTest::vector).toList());
    for (Backend member : members) {
      ConsortException failure = thrown(member::synchronize);
      assertThat(failure.code()).isEqualTo(ErrorCode.DEVICE_FAILED);
      assertThat(failure.getMessage()).contains("member 1 (reference:1) did not arrive");
    }
    assertThat(thrown(() -> devices.get(2).createBackend()).code())
        .isEqualTo(ErrorCode.DEVICE_FAILED);
    members.forEach(Backend::close);
  }

  @Test
  void aMemberThatFailsInTheMiddleOfAPlanFailsTheOthersAtOnce() {
    List<ReferenceDevice> devices =
        List.of(
            new ReferenceDevice(0),
            new ReferenceDevice(
                ReferenceOptions.of(1)
                    .adversary(Adversary.none().inject(Site.SUBMIT, 1, Fault.DEVICE_LOST))));
    List<Backend> members = devices.stream().map(ReferenceDevice::createBackend).toList();
    CommInit init = devices.getFirst().find(ProcAddresses.COMM_INIT).orElseThrow();
    Comm comm = init.init(members, WirePolicy.EXACT).orElseThrow();
    long start = System.nanoTime();
    for (int rank = 0; rank < 2; rank++) {
      GraphBuilder builder = new GraphBuilder();
      Tensor x = builder.input("x", DataType.F32, Shape.of(64));
      Tensor sum = builder.output(builder.add(new Operation.AllReduce(comm.member(rank)), x));
      Backend member = members.get(rank);
      var graph = builder.build();
      Allocation allocation = devices.get(rank).bufferType().allocate(List.of(x, sum));
      Plan plan = member.compile(graph, Schedule.sequential(graph), allocation);
      member.submit(plan);
    }
    for (Backend member : members) {
      assertThat(thrown(member::synchronize).code()).isEqualTo(ErrorCode.DEVICE_FAILED);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .as("less than the patience of a collective")
        .isLessThan(Duration.ofSeconds(9));
    members.forEach(Backend::close);
  }

  @Test
  void workThatIsNeverDoneIsCancelledByClosing() {
    ReferenceDevice device = device(0, Adversary.none().inject(Site.SET, 1, Fault.NEVER_DONE));
    Storage x = vector(device);
    Backend backend = device.createBackend();
    try (Event event = device.createEvent()) {
      backend.set(x, 0, host());
      backend.record(event);
      assertThat(thrown(() -> event.await(Duration.ofMillis(50))).code())
          .isEqualTo(ErrorCode.TIMEOUT);
      backend.close();
      assertThat(thrown(() -> event.await(Duration.ofSeconds(5))).code())
          .isEqualTo(ErrorCode.DEVICE_FAILED);
    }
  }

  @Test
  void readingWhatNobodyWroteShows() {
    ReferenceDevice device = device(0, Adversary.seeded(1));
    Storage x = vector(device);
    try (Backend backend = device.createBackend()) {
      MemorySegment read = host();
      backend.get(x, 0, read);
      backend.synchronize();
      assertThat(read.get(ValueLayout.JAVA_FLOAT, 0)).isGreaterThan(1e38f);
    }
  }

  @Test
  void schedulesKeepOnlyTheEdgesThatDataNeed() {
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(4));
    Tensor left = builder.scale(x, 2);
    Tensor right = builder.scale(x, 3);
    Tensor state = builder.state("state", DataType.F32, Shape.of(4, 2));
    Tensor row = builder.reshape(left, Shape.of(4, 1));
    Tensor read = builder.scale(state, 5);
    Tensor slot = builder.input("slot", DataType.I32, Shape.of(1));
    Tensor next = builder.setRows(state, row, slot);
    Tensor after = builder.scale(next, 7);
    builder.output(after);
    builder.output(right);
    builder.output(read);
    try (Backend backend = device(0, Adversary.seeded(1)).createBackend()) {
      Schedule schedule = backend.schedule(builder.build());
      assertThat(schedule.steps())
          .extracting(step -> step.last().name() + step.after())
          .containsExactly(
              left.name() + "[]",
              right.name() + "[]",
              read.name() + "[]",
              next.name() + "[0, 2]",
              after.name() + "[3]");
      assertThat(schedule.scratchBytes()).isPositive();
    }
  }
}
