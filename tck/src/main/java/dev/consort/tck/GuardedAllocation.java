// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Tensors in one buffer with known bytes between them, so that writing past an end shows. */
final class GuardedAllocation implements AutoCloseable {
  private static final byte GUARD = (byte) 0xa5;

  private final Buffer buffer;
  private final Allocation allocation;
  private final List<Storage> places = new ArrayList<>();

  GuardedAllocation(BufferType type, Collection<Tensor> tensors) {
    long at = gap(type);
    List<Long> offsets = new ArrayList<>();
    for (Tensor tensor : tensors) {
      offsets.add(at);
      at = align(type, at + type.bytes(tensor)) + gap(type);
    }
    buffer = type.allocate(align(type, at) + gap(type));
    try {
      buffer.fill(GUARD);
    } catch (RuntimeException e) {
      buffer.close();
      throw e;
    }
    int next = 0;
    for (Tensor tensor : tensors) {
      places.add(new Storage(tensor, buffer, offsets.get(next++)));
    }
    allocation = Allocation.of(places, List.of(buffer));
  }

  Allocation allocation() {
    return allocation;
  }

  /** Where a byte outside all tensors has changed, in words. */
  Optional<String> damage(Backend backend) {
    byte[] all = new byte[Math.toIntExact(buffer.bytes() / Float.BYTES * Float.BYTES)];
    Tensor window =
        new GraphBuilder().input("window", DataType.F32, Shape.of(all.length / Float.BYTES));
    MemorySegment memory = MemorySegment.ofArray(all);
    try (var arena = Arena.ofShared()) {
      MemorySegment staging = arena.allocate(all.length, 64);
      backend.get(new Storage(window, buffer, 0), 0, staging);
      backend.synchronize();
      memory.copyFrom(staging);
    }
    for (int i = 0; i < all.length; i++) {
      if (memory.get(ValueLayout.JAVA_BYTE, i) != GUARD && !inside(i)) {
        return Optional.of(describe(i));
      }
    }
    return Optional.empty();
  }

  private boolean inside(long at) {
    return places.stream()
        .anyMatch(
            place ->
                at >= place.offset() && at < place.offset() + buffer.type().bytes(place.tensor()));
  }

  private String describe(long at) {
    Storage before = null;
    for (Storage place : places) {
      if (place.offset() <= at) {
        before = place;
      }
    }
    return before == null
        ? "byte %d before the first tensor was written".formatted(at)
        : "byte %d behind the end of %s was written"
            .formatted(
                at - before.offset() - buffer.type().bytes(before.tensor()), before.tensor());
  }

  private static long gap(BufferType type) {
    return Math.max(64, type.alignment());
  }

  private static long align(BufferType type, long bytes) {
    return (bytes + type.alignment() - 1) & -type.alignment();
  }

  @Override
  public void close() {
    allocation.close();
  }
}
