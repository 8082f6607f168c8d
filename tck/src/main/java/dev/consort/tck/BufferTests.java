// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Memory: its alignment and limits, filling, running out of it, closing. */
public abstract class BufferTests extends KitTest {

  @Test
  void alignmentIsAPowerOfTwo() {
    assertThat(Long.bitCount(device().bufferType().alignment())).isEqualTo(1);
  }

  @Test
  void aTypeHasRoomForEveryTensorItIsAskedAbout() {
    for (Tensor tensor : assorted()) {
      assertThat(device().bufferType().bytes(tensor))
          .as("bytes of %s", tensor)
          .isGreaterThanOrEqualTo(tensor.bytes());
    }
  }

  @Test
  void tensorsArePlacedAtMultiplesOfTheAlignmentWithoutOverlap() {
    BufferType type = device().bufferType();
    Allocation allocation = lab().place(device(), assorted().toArray(Tensor[]::new));
    List<Storage> places = new ArrayList<>(allocation.storages());
    for (Storage place : places) {
      assertThat(place.offset() % type.alignment()).as("offset of %s", place).isZero();
      for (Storage other : places) {
        boolean overlap =
            place != other
                && place.buffer() == other.buffer()
                && place.offset() < other.offset() + type.bytes(other.tensor())
                && other.offset() < place.offset() + type.bytes(place.tensor());
        assertThat(overlap).as("%s overlaps %s", place, other).isFalse();
      }
    }
  }

  @Test
  void tensorsOfOneAllocationKeepTheirBytesApart() {
    Backend backend = lab().backend(device());
    List<Tensor> tensors = assorted();
    Allocation allocation = lab().place(device(), tensors.toArray(Tensor[]::new));
    List<MemorySegment> written = new ArrayList<>();
    for (Tensor tensor : tensors) {
      MemorySegment bytes = lab().bytes(tensor.bytes()).fill((byte) (17 * written.size() + 3));
      written.add(bytes);
      if (tensor.bytes() > 0) {
        backend.set(allocation.storage(tensor), 0, bytes);
      }
    }
    for (int i = 0; i < tensors.size(); i++) {
      MemorySegment read = lab().bytes(tensors.get(i).bytes());
      if (read.byteSize() > 0) {
        backend.get(allocation.storage(tensors.get(i)), 0, read);
      }
      backend.synchronize();
      assertThat(read.mismatch(written.get(i))).as("bytes of %s", tensors.get(i)).isEqualTo(-1);
    }
  }

  @Test
  void fillSetsEveryByte() {
    Backend backend = lab().backend(device());
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(1031, 3));
    Allocation allocation = lab().place(device(), tensor);
    for (byte value : new byte[] {0, 0x5a, -1}) {
      allocation.buffers().forEach(buffer -> buffer.fill(value));
      MemorySegment read = lab().bytes(tensor.bytes());
      backend.get(allocation.storage(tensor), 0, read);
      backend.synchronize();
      MemorySegment expected = lab().bytes(tensor.bytes()).fill(value);
      assertThat(read.mismatch(expected)).as("filled with %d", value).isEqualTo(-1);
    }
  }

  @Test
  void asksBeyondTheLargestBufferAreRefused() {
    BufferType type = device().bufferType();
    if (type.maxBytes() < Long.MAX_VALUE) {
      assertRefused(
          () -> type.allocate(type.maxBytes() + 1),
          ErrorCode.INVALID_ARGUMENT,
          ErrorCode.OUT_OF_MEMORY);
    }
    assertRefused(() -> type.allocate(-1), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void runningOutOfMemoryIsAnErrorAndTheDeviceGoesOn() {
    // Far more than there is: no system takes such a request and finds out later.
    long tooMuch = Math.multiplyExact(device().memory().total(), 16L);
    assertRefused(
        () -> device().bufferType().allocate(tooMuch),
        ErrorCode.OUT_OF_MEMORY,
        ErrorCode.INVALID_ARGUMENT);
    Storage x = lab().vector(device(), "x", 8);
    Backend backend = lab().backend(device());
    backend.set(x, 0, lab().floats(1, 2, 3, 4, 5, 6, 7, 8));
    assertThat(lab().read(backend, x)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
  }

  @Test
  void closingTwiceDoesNothing() {
    Buffer buffer = device().bufferType().allocate(4096);
    assertThat(buffer.bytes()).isGreaterThanOrEqualTo(4096);
    buffer.close();
    buffer.close();
  }

  @Test
  void memoryComesBackWhenBuffersAreClosed() {
    BufferType type = device().bufferType();
    long bytes = Math.min(type.maxBytes(), 1 << 20);
    for (int i = 0; i < 200; i++) {
      type.allocate(bytes).close();
    }
    try (Buffer last = type.allocate(bytes)) {
      assertThat(last.bytes()).isGreaterThanOrEqualTo(bytes);
    }
  }

  @Test
  void hostBuffersShowTheirMemory() {
    BufferType type = capability(ProcAddresses.HOST_BUFFER_TYPE).hostBufferType();
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(33));
    Allocation allocation = lab().keep(type.allocate(List.of(tensor)));
    Storage storage = allocation.storage(tensor);
    assertThat(storage.buffer().host()).isPresent();
    MemorySegment memory =
        storage.buffer().host().orElseThrow().asSlice(storage.offset(), tensor.bytes());
    Storage x = lab().vector(device(), "y", 33);
    Backend backend = lab().backend(device());
    memory.copyFrom(lab().filled(33, 2.5f));
    backend.set(x, 0, memory);
    assertThat(lab().read(backend, x)).containsOnly(2.5f);
    backend.set(x, 0, lab().filled(33, 7));
    backend.get(x, 0, memory);
    backend.synchronize();
    assertThat(Lab.floats(memory)).containsOnly(7);
  }

  @Test
  void hostMemoryIsUsedInPlaceWhereItCanBeWrapped() {
    var wrap = capability(ProcAddresses.BUFFER_FROM_HOST_PTR);
    long bytes = Math.max(4096, wrap.alignment());
    MemorySegment memory = lab().bytes(bytes + wrap.alignment());
    long aligned = -memory.address() & (wrap.alignment() - 1);
    MemorySegment part = memory.asSlice(aligned, bytes);
    part.copyFrom(lab().filled((int) (bytes / 4), 3));
    Optional<Buffer> buffer = wrap.wrap(part);
    if (buffer.isEmpty()) {
      return;
    }
    lab().keep(buffer.get());
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(bytes / 4));
    Backend backend = lab().backend(device());
    assertThat(lab().read(backend, new Storage(tensor, buffer.get(), 0))).containsOnly(3);
  }

  private static List<Tensor> assorted() {
    GraphBuilder builder = new GraphBuilder();
    List<Tensor> tensors = new ArrayList<>();
    for (DataType type : DataType.values()) {
      tensors.add(builder.weight(type.label(), type, Shape.of(256, 3, 2)));
    }
    tensors.add(builder.input("one", DataType.F32, Shape.of(1)));
    tensors.add(builder.input("odd", DataType.F16, Shape.of(7, 3)));
    tensors.add(builder.input("nothing", DataType.F32, Shape.of(0, 4)));
    return tensors;
  }
}
