// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Streams, events, transfers and memory of every device. */
@ExtendWith(Rig.Closing.class)
class StreamsTest {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  static Stream<Device> devices() {
    return Rig.devices();
  }

  /** {@code y = x * 2 + 1}, as often as asked for, with x and y in one place each. */
  private static final class Doubling implements AutoCloseable {
    final Rig.Run run;
    final Tensor x;
    final Tensor y;

    Doubling(Device device, int rounds, int length) {
      var b = new GraphBuilder();
      x = b.input("x", DataType.F32, Shape.of(length));
      Tensor at = x;
      for (int i = 0; i < rounds; i++) {
        at = b.add(b.scale(at, 2), b.weight("one" + i, DataType.F32, Shape.of(1)));
      }
      y = b.output(at);
      Graph graph = b.build();
      run = new Rig.Run(device, graph, List.of());
      for (Tensor leaf : graph.leaves()) {
        if (leaf != x) {
          run.set(leaf, Data.bytes(1f));
        }
      }
    }

    Storage place(Tensor tensor) {
      return run.allocation.storage(tensor);
    }

    @Override
    public void close() {
      run.close();
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void what_is_set_between_submissions_reaches_the_next_and_not_the_last(Device device) {
    try (Arena arena = Arena.ofConfined();
        var doubling = new Doubling(device, 3, 5000)) {
      Backend backend = doubling.run.backend;
      int turns = 20;
      MemorySegment in = arena.allocate(turns * 20000L, 64);
      MemorySegment out = arena.allocate(turns * 20000L, 64);
      for (int turn = 0; turn < turns; turn++) {
        MemorySegment slice = in.asSlice(turn * 20000L, 20000);
        for (int i = 0; i < 5000; i++) {
          slice.setAtIndex(FLOAT, i, turn * 3 + i);
        }
        backend.set(doubling.place(doubling.x), 0, slice);
        backend.submit(doubling.run.plan);
        backend.get(doubling.place(doubling.y), 0, out.asSlice(turn * 20000L, 20000));
      }
      backend.synchronize();
      for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < 5000; i += 997) {
          float x = turn * 3 + i;
          assertThat(out.getAtIndex(FLOAT, turn * 5000L + i)).isEqualTo(8 * x + 7);
        }
      }
    }
  }

  /** Mesa's queue thread touches a semaphore that was waited for after the waiter has signalled. */
  @ParameterizedTest
  @MethodSource("devices")
  void a_stream_that_others_waited_for_may_close_first(Device device) {
    try (Arena arena = Arena.ofConfined();
        var waiter = new Doubling(device, 1, 64)) {
      MemorySegment in = arena.allocate(256, 64);
      for (int turn = 0; turn < 300; turn++) {
        try (Event event = device.createEvent();
            Backend waitedFor = device.createBackend()) {
          in.set(FLOAT, 0, turn);
          waitedFor.set(waiter.place(waiter.x), 0, in);
          waitedFor.record(event);
          waiter.run.backend.await(event);
          waiter.run.backend.submit(waiter.run.plan);
          waiter.run.backend.synchronize();
        }
        assertThat(waiter.run.floats(waiter.y)[0]).isEqualTo(2 * turn + 1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void a_stream_that_awaits_an_event_sees_the_other_streams_results(Device device) {
    try (Arena arena = Arena.ofConfined();
        var first = new Doubling(device, 40, 20000);
        var second = new Doubling(device, 1, 20000);
        Event event = device.createEvent();
        Event back = device.createEvent()) {
      MemorySegment in = arena.allocate(80000, 64);
      MemorySegment through = arena.allocate(80000, 64);
      MemorySegment out = arena.allocate(80000, 64);
      for (int turn = 0; turn < 5; turn++) {
        in.fill((byte) 0);
        in.setAtIndex(FLOAT, 7, turn);
        first.run.backend.set(first.place(first.x), 0, in);
        first.run.backend.submit(first.run.plan);
        // Through host memory: the second stream's set must read what the first one's get wrote.
        first.run.backend.get(first.place(first.y), 0, through);
        first.run.backend.record(event);
        second.run.backend.await(event);
        second.run.backend.set(second.place(second.x), 0, through);
        second.run.backend.submit(second.run.plan);
        second.run.backend.get(second.place(second.y), 0, out);
        second.run.backend.record(back);
        back.await(Duration.ofSeconds(60));
        assertThat(back.isDone()).isTrue();
        double plain = Math.pow(2, 40) * turn + Math.pow(2, 40) - 1;
        assertThat(out.getAtIndex(FLOAT, 7)).isCloseTo((float) (2 * plain + 1), within(plain));
        in.setAtIndex(FLOAT, 7, -1);
      }
    }
  }

  private static org.assertj.core.data.Offset<Float> within(double size) {
    return org.assertj.core.data.Offset.offset((float) (size * 1e-5));
  }

  @ParameterizedTest
  @MethodSource("devices")
  void work_behind_a_host_signal_starts_when_it_comes_and_holds_up_no_other_stream(Device device) {
    var signal = device.find(ProcAddresses.HOST_SIGNAL).orElseThrow();
    try (Arena arena = Arena.ofConfined();
        var held = new Doubling(device, 1, 16);
        var free = new Doubling(device, 1, 16);
        Event gate = signal.createEvent();
        Event done = device.createEvent();
        Event after = device.createEvent()) {
      MemorySegment in = arena.allocate(64, 64);
      MemorySegment out = arena.allocate(64, 64);
      held.run.set(held.x, new byte[64]);
      signal.arm(gate);
      held.run.backend.await(gate);
      in.setAtIndex(FLOAT, 0, 5);
      held.run.backend.set(held.place(held.x), 0, in);
      held.run.backend.submit(held.run.plan);
      held.run.backend.record(done);
      assertThat(done.isDone()).isFalse();

      free.run.set(free.x, Data.bytes(new float[16]));
      free.run.backend.submit(free.run.plan);
      free.run.backend.synchronize();
      assertThat(free.run.floats(free.y)[0]).isEqualTo(1);
      free.run.backend.await(done);
      free.run.backend.copy(held.place(held.y), 0, free.place(free.x), 0, 64);
      free.run.backend.submit(free.run.plan);
      free.run.backend.get(free.place(free.y), 0, out);
      free.run.backend.record(after);
      assertThat(after.isDone()).isFalse();
      assertThatThrownBy(() -> after.await(Duration.ofMillis(20)))
          .isInstanceOfSatisfying(
              ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TIMEOUT));

      signal.signal(gate);
      after.await(Duration.ofSeconds(60));
      assertThat(out.getAtIndex(FLOAT, 0)).isEqualTo(23);
      assertThat(done.isDone()).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void an_event_that_was_never_recorded_is_done(Device device) {
    try (Event event = device.createEvent();
        Backend backend = device.createBackend()) {
      assertThat(event.isDone()).isTrue();
      backend.await(event);
      event.await(Duration.ZERO);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void a_weight_larger_than_a_binding_range_is_multiplied_whole(Device device) {
    int rows = 40000;
    var b = new GraphBuilder();
    Tensor w = b.weight("w", DataType.F32, Shape.of(1024, rows));
    Tensor x = b.input("x", DataType.F32, Shape.of(1024, 1));
    Tensor y = b.output(b.matMul(w, x));
    assertThat(w.bytes()).isGreaterThan(128L << 20);
    try (Rig.Run run = new Rig.Run(device, b.build(), List.of());
        Arena arena = Arena.ofConfined()) {
      run.allocation.storage(w).buffer().fill((byte) 0);
      MemorySegment row = arena.allocate(4096, 64);
      for (int r : new int[] {0, 1, 33000, rows - 1}) {
        for (int i = 0; i < 1024; i++) {
          row.setAtIndex(FLOAT, i, r + i);
        }
        run.backend.set(run.allocation.storage(w), r * 4096L, row);
        run.backend.synchronize();
      }
      float[] ones = new float[1024];
      java.util.Arrays.fill(ones, 1);
      run.set(x, Data.bytes(ones));
      run.backend.submit(run.plan);
      float[] found = run.floats(y);
      for (int r : new int[] {0, 1, 33000, rows - 1}) {
        assertThat(found[r]).isCloseTo(1024f * r + 1023 * 512, within(1024.0 * r + 1e6));
      }
      assertThat(found[2]).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void rectangles_and_offsets_are_read_and_written_exactly(Device device) {
    var b = new GraphBuilder();
    Tensor t = b.input("t", DataType.F32, Shape.of(10, 6));
    byte[] content = Data.random(t, new Random(3));
    try (Allocation allocation = device.bufferType().allocate(List.of(t));
        Backend backend = device.createBackend();
        Arena arena = Arena.ofConfined()) {
      Storage place = allocation.storage(t);
      MemorySegment all = arena.allocate(240, 64);
      MemorySegment.copy(content, 0, all, ValueLayout.JAVA_BYTE, 0, 240);
      backend.set(place, 0, all);
      MemorySegment part = arena.allocate(36, 64);
      part.fill((byte) 9);
      device
          .find(ProcAddresses.SET_TENSOR_2D_ASYNC)
          .orElseThrow()
          .set(backend, place, 44, 80, part, 12, 12, 3);
      for (int row = 0; row < 3; row++) {
        java.util.Arrays.fill(content, 44 + 80 * row, 56 + 80 * row, (byte) 9);
      }
      MemorySegment back = arena.allocate(240, 64);
      backend.get(place, 0, back);
      MemorySegment column = arena.allocate(18, 64);
      device
          .find(ProcAddresses.GET_TENSOR_2D_ASYNC)
          .orElseThrow()
          .get(backend, place, 41, 40, column, 3, 3, 6 - 1);
      backend.synchronize();
      assertThat(back.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
      for (int row = 0; row < 5; row++) {
        for (int i = 0; i < 3; i++) {
          assertThat(column.get(ValueLayout.JAVA_BYTE, row * 3L + i))
              .isEqualTo(content[41 + 40 * row + i]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void pinned_memory_carries_data_in_stream_order(Device device) {
    var type = device.find(ProcAddresses.HOST_BUFFER_TYPE).orElseThrow().hostBufferType();
    try (var doubling = new Doubling(device, 1, 1000);
        Buffer buffer = type.allocate(8000)) {
      MemorySegment memory = buffer.host().orElseThrow();
      memory.asSlice(0, 4000).fill((byte) 0);
      Backend backend = doubling.run.backend;
      for (int turn = 0; turn < 10; turn++) {
        backend.set(doubling.place(doubling.x), 0, memory.asSlice(0, 4000));
        backend.submit(doubling.run.plan);
        backend.get(doubling.place(doubling.y), 0, memory.asSlice(0, 4000));
      }
      backend.synchronize();
      assertThat(memory.getAtIndex(FLOAT, 999)).isEqualTo(1023);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void imported_host_memory_is_used_in_place(Device device) {
    var capability = device.find(ProcAddresses.BUFFER_FROM_HOST_PTR);
    org.junit.jupiter.api.Assumptions.assumeTrue(capability.isPresent(), "no host import");
    long alignment = capability.orElseThrow().alignment();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(4 * alignment, alignment);
      assertThat(capability.orElseThrow().wrap(memory.asSlice(4, alignment))).isEmpty();
      var wrapped = capability.orElseThrow().wrap(memory);
      org.junit.jupiter.api.Assumptions.assumeTrue(wrapped.isPresent(), "refused by the driver");
      var b = new GraphBuilder();
      Tensor w = b.weight("w", DataType.F32, Shape.of(16, 16));
      Tensor x = b.input("x", DataType.F32, Shape.of(16, 1));
      Tensor y = b.output(b.matMul(w, x));
      Graph graph = b.build();
      for (int i = 0; i < 256; i++) {
        memory.setAtIndex(FLOAT, alignment / 4 + i, i);
      }
      try (Buffer buffer = wrapped.orElseThrow();
          Allocation rest = device.bufferType().allocate(List.of(x, y));
          Backend backend = device.createBackend()) {
        var weights = Allocation.of(List.of(new Storage(w, buffer, alignment)), List.of());
        var all = Allocation.join(List.of(weights, rest));
        try (var plan = backend.compile(graph, backend.schedule(graph), all)) {
          MemorySegment ones = arena.allocate(64, 64);
          for (int i = 0; i < 16; i++) {
            ones.setAtIndex(FLOAT, i, 1);
          }
          backend.set(rest.storage(x), 0, ones);
          backend.submit(plan);
          MemorySegment out = arena.allocate(64, 64);
          backend.get(rest.storage(y), 0, out);
          backend.synchronize();
          assertThat(out.getAtIndex(FLOAT, 15)).isEqualTo(16 * 240 + 120);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void a_buffer_above_the_limit_is_refused_with_the_limit(Device device) {
    var type = device.bufferType();
    assertThatThrownBy(() -> type.allocate(type.maxBytes() + 1))
        .isInstanceOfSatisfying(
            ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT))
        .hasMessageContaining(Long.toString(type.maxBytes()))
        .hasMessageContaining(device.info().id());
  }

  @ParameterizedTest
  @MethodSource("devices")
  void a_plan_of_another_backend_is_refused(Device device) {
    try (var doubling = new Doubling(device, 1, 4);
        Backend other = device.createBackend()) {
      assertThatThrownBy(() -> other.submit(doubling.run.plan))
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("another backend");
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void two_parallel_products_need_no_barrier_between_them(Device device) {
    var b = new GraphBuilder();
    Tensor x = b.input("x", DataType.F32, Shape.of(32, 1));
    Tensor up = b.matMul(b.weight("up", DataType.F32, Shape.of(32, 32)), x);
    Tensor gate = b.matMul(b.weight("gate", DataType.F32, Shape.of(32, 32)), x);
    b.output(b.add(up, gate));
    try (Rig.Run run = new Rig.Run(device, b.build(), List.of())) {
      VulkanPlan plan = (VulkanPlan) run.plan;
      assertThat(plan.dispatches()).isEqualTo(3);
      assertThat(plan.barriers()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void decoding_steps_make_no_garbage(Device device) {
    try (Arena arena = Arena.ofConfined();
        var doubling = new Doubling(device, 4, 64)) {
      var bean =
          (com.sun.management.ThreadMXBean)
              java.lang.management.ManagementFactory.getThreadMXBean();
      MemorySegment in = arena.allocate(256, 64);
      MemorySegment out = arena.allocate(256, 64);
      Backend backend = doubling.run.backend;
      Storage x = doubling.place(doubling.x);
      Storage y = doubling.place(doubling.y);
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 20; round++) {
        long before = bean.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 500; i++) {
          backend.set(x, 0, in);
          backend.submit(doubling.run.plan);
          // The stream is busy now, so that these go through staging memory.
          backend.set(x, 0, in);
          backend.submit(doubling.run.plan);
          backend.get(y, 0, out);
          backend.synchronize();
        }
        least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
      }
      // Five native calls a step: whether their few short-lived objects are removed is the JIT's
      // choice. What is kept out is anything of the size of the data or a buffer.
      assertThat(least / 500).as("bytes per step").isLessThan(256);
    }
  }
}
