// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The pieces of one tensor on the members. A smaller tensor of the same name, as another token
 * bucket has it, may use the same storage from its start.
 */
final class MetaBuffer implements Buffer {
  private final MetaBufferType type;
  private final long bytes;
  private final SplitState state;
  private final Partition partition;
  private final @Nullable Storage[] parts;
  private final List<Allocation> owned;
  private final Map<Tensor, TensorParts> known = new IdentityHashMap<>();
  private final List<MetaBuffer> tensors = new ArrayList<>();
  private volatile boolean closed;

  MetaBuffer(
      MetaBufferType type,
      long bytes,
      SplitState state,
      Partition partition,
      @Nullable Storage[] parts,
      List<Allocation> owned) {
    this.type = type;
    this.bytes = bytes;
    this.state = state;
    this.partition = partition;
    this.parts = parts;
    this.owned = owned;
  }

  /** The pieces of the tensor that lies here. */
  synchronized TensorParts parts(Storage storage) {
    requireOpen();
    TensorParts found = known.get(storage.tensor());
    if (found == null) {
      found = cut(storage.tensor(), storage.offset());
      known.put(storage.tensor(), found);
    }
    return found;
  }

  /** The buffer of one tensor whose memory this one owns; closed with it. */
  void closesWith(MetaBuffer tensor) {
    tensors.add(tensor);
  }

  SplitState state() {
    return state;
  }

  Partition partition() {
    return partition;
  }

  private TensorParts cut(Tensor tensor, long offset) {
    if (offset != 0 && !state.isMirrored() && !(state instanceof SplitState.Owned)) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          tensor + " is a view into a tensor that is split on " + state.label());
    }
    @Nullable Storage[] storages = new Storage[parts.length];
    for (int m = 0; m < parts.length; m++) {
      Storage part = parts[m];
      if (part != null) {
        Tensor local =
            new GraphBuilder()
                .add(
                    tensor.name(),
                    new Operation.Input(
                        type(tensor, part),
                        state.localShape(tensor.shape(), partition, m),
                        Optional.empty()),
                    List.of());
        storages[m] = new Storage(local, part.buffer(), part.offset() + offset);
      }
    }
    return TensorParts.of(tensor, state, partition, storages);
  }

  /** A member may hold a weight in another type than the file's. */
  private static DataType type(Tensor tensor, Storage part) {
    boolean weight = part.tensor().operation() instanceof Operation.Weight;
    return weight ? part.tensor().type() : tensor.type();
  }

  @Override
  public BufferType type() {
    return type;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public Optional<MemorySegment> host() {
    return Optional.empty();
  }

  /** A tensor's buffer is a part of larger ones: its pieces are written, the rest is left. */
  @Override
  public void fill(byte value) {
    requireOpen();
    for (Allocation allocation : owned) {
      allocation.buffers().forEach(buffer -> buffer.fill(value));
    }
    for (Storage part : owned.isEmpty() ? parts : new Storage[0]) {
      if (part != null && part.tensor().bytes() > 0) {
        write(part, value);
      }
    }
  }

  private static void write(Storage part, byte value) {
    try (Arena arena = Arena.ofShared();
        Backend backend = part.buffer().type().device().createBackend()) {
      backend.set(part, 0, arena.allocate(part.tensor().bytes(), 64).fill(value));
      backend.synchronize();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the buffer was closed").plugin("meta").build();
    }
  }

  @Override
  public void close() {
    closed = true;
    tensors.forEach(MetaBuffer::close);
    Closing.all(owned);
  }
}
