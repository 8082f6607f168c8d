// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory for intermediate tensors that all plans of one backend share: since a backend runs one
 * plan after another, the buffers are as large as the largest plan needs. Plans made before a
 * buffer grew keep the smaller one. Not thread safe.
 */
public final class ComputeMemory implements AutoCloseable {
  private static final Tensor SCRATCH =
      new GraphBuilder().input("scratch", DataType.I32, Shape.of(1));

  private final BufferType type;
  private final List<Buffer> current = new ArrayList<>();
  private final List<Buffer> all = new ArrayList<>();

  public ComputeMemory(BufferType type) {
    this.type = type;
  }

  /** Places for a layout's tensors and scratch. The memory stays owned by this. */
  public Allocation allocate(Layout layout) {
    List<Storage> places = new ArrayList<>();
    for (int i = 0; i < layout.bufferBytes().size(); i++) {
      reserve(i + 1, layout.bufferBytes().get(i));
    }
    for (Layout.Place place : layout.places()) {
      places.add(new Storage(place.tensor(), current.get(place.buffer() + 1), place.offset()));
    }
    Allocation allocation = Allocation.of(places, List.of());
    if (layout.scratchBytes() == 0) {
      return allocation;
    }
    reserve(0, layout.scratchBytes());
    return allocation.withScratch(new Storage(SCRATCH, current.get(0), 0));
  }

  /** Bytes in use, outgrown buffers included. */
  public long bytes() {
    return all.stream().mapToLong(Buffer::bytes).sum();
  }

  private void reserve(int index, long bytes) {
    while (current.size() <= index) {
      Buffer none = type.allocate(type.alignment());
      current.add(none);
      all.add(none);
    }
    if (current.get(index).bytes() < bytes) {
      Buffer larger = type.allocate(bytes);
      current.set(index, larger);
      all.add(larger);
    }
  }

  @Override
  public void close() {
    all.forEach(Buffer::close);
    all.clear();
    current.clear();
  }
}
