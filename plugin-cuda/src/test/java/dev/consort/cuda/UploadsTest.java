// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Small writes, which wait for what comes after them. */
class UploadsTest {
  private static final int BYTES = 1 << 20;

  private static Tensor tensor(int bytes) {
    return new GraphBuilder().input("x", DataType.F32, Shape.of(bytes / 4));
  }

  private static byte[] read(Backend backend, Storage from, int offset, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(bytes, 64);
      backend.get(from, offset, found);
      backend.synchronize();
      return found.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static MemorySegment filled(Arena arena, int bytes, int value) {
    return arena.allocate(bytes, 64).fill((byte) value);
  }

  @Test
  void many_writes_of_all_sizes_come_to_their_places() {
    Device device = TestDevices.atLeast(1).getFirst();
    Tensor tensor = tensor(BYTES);
    try (Backend backend = device.createBackend();
        Allocation place = device.bufferType().allocate(List.of(tensor));
        Arena arena = Arena.ofConfined()) {
      byte[] expected = new byte[BYTES];
      int at = 0;
      for (int i = 1; i < 60; i++) {
        int bytes = i % 7 == 0 ? 40_000 + i : i * 13 % 97;
        backend.set(place.storage(tensor), at, filled(arena, bytes, i));
        Arrays.fill(expected, at, at + bytes, (byte) i);
        at += bytes;
      }
      assertThat(read(backend, place.storage(tensor), 0, at))
          .isEqualTo(Arrays.copyOf(expected, at));
    }
  }

  @Test
  void the_later_of_two_writes_to_one_place_wins() {
    Device device = TestDevices.atLeast(1).getFirst();
    Tensor tensor = tensor(4096);
    try (Backend backend = device.createBackend();
        Allocation place = device.bufferType().allocate(List.of(tensor));
        Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < 10; i++) {
        backend.set(place.storage(tensor), 0, filled(arena, 4096, 2 * i));
        backend.set(place.storage(tensor), 1024, filled(arena, 1024, 2 * i + 1));
      }
      assertThat(read(backend, place.storage(tensor), 1000, 48)).startsWith(18).endsWith(19);
    }
  }

  @Test
  void pinned_memory_is_read_when_the_stream_comes_to_it() {
    Device device = TestDevices.atLeast(1).getFirst();
    Tensor tensor = tensor(4096);
    var type = device.find(ProcAddresses.HOST_BUFFER_TYPE).orElseThrow().hostBufferType();
    try (Backend backend = device.createBackend();
        Allocation place = device.bufferType().allocate(List.of(tensor));
        Buffer pinned = type.allocate(4096)) {
      MemorySegment host = pinned.host().orElseThrow().fill((byte) 5);
      backend.set(place.storage(tensor), 0, host);
      assertThat(read(backend, place.storage(tensor), 0, 4096)).containsOnly(5);
    }
  }

  @Test
  void what_goes_to_a_closed_buffer_is_dropped() {
    Device device = TestDevices.atLeast(1).getFirst();
    Tensor tensor = tensor(4096);
    try (Backend backend = device.createBackend();
        Allocation stays = device.bufferType().allocate(List.of(tensor));
        Arena arena = Arena.ofConfined()) {
      Allocation goes = device.bufferType().allocate(List.of(tensor));
      backend.set(goes.storage(tensor), 0, filled(arena, 4096, 1));
      backend.set(stays.storage(tensor), 0, filled(arena, 4096, 2));
      goes.close();
      assertThat(read(backend, stays.storage(tensor), 0, 4096)).containsOnly(2);
    }
  }
}
