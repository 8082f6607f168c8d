// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Memory of all members: each tensor takes on every member what the member's slice needs. */
final class MetaBufferType implements BufferType {
  private final MetaDevice device;

  MetaBufferType(MetaDevice device) {
    this.device = device;
  }

  @Override
  public String name() {
    return "meta";
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long alignment() {
    return device.members().stream().mapToLong(m -> m.bufferType().alignment()).max().orElse(1);
  }

  @Override
  public long maxBytes() {
    return device.members().stream().mapToLong(m -> m.bufferType().maxBytes()).min().orElse(0);
  }

  @Override
  public boolean repacks() {
    return false;
  }

  @Override
  public long bytes(Tensor tensor) {
    return tensor.bytes();
  }

  /** A buffer that every member holds whole. */
  @Override
  public Buffer allocate(long bytes) {
    long most =
        device.members().stream()
            .mapToLong(member -> member.bufferType().maxBytes())
            .min()
            .orElse(0);
    if (bytes < 0 || bytes > most) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "a buffer of %d bytes was asked for, its members hold up to %d"
                  .formatted(bytes, most))
          .device(device)
          .build();
    }
    int n = device.members().size();
    List<Allocation> owned = new ArrayList<>();
    @Nullable Storage[] parts = new Storage[n];
    Tensor tensor =
        new GraphBuilder()
            .input("bytes", DataType.I32, Shape.of(Math.max(1, Math.ceilDiv(bytes, 4L))));
    try {
      for (int m = 0; m < n; m++) {
        Allocation own = device.members().get(m).bufferType().allocate(List.of(tensor));
        owned.add(own);
        parts[m] = own.storage(tensor);
      }
    } catch (RuntimeException | Error e) {
      owned.forEach(Allocation::close);
      throw e;
    }
    var partition = new Partition(n, Map.of());
    return new MetaBuffer(this, bytes, SplitState.MIRRORED, partition, parts, owned);
  }

  @Override
  public Allocation allocate(Collection<Tensor> tensors) {
    int n = device.members().size();
    Map<Tensor, Spread> spreads = new LinkedHashMap<>();
    tensors.forEach(tensor -> spreads.put(tensor, device.spreadOf(tensor, tensors)));
    List<Allocation> owned = new ArrayList<>();
    List<Map<Tensor, Storage>> places = new ArrayList<>();
    try {
      for (int m = 0; m < n; m++) {
        places.add(allocateMember(m, spreads, owned));
      }
    } catch (RuntimeException | Error e) {
      owned.forEach(Allocation::close);
      throw e;
    }
    long bytes = owned.stream().mapToLong(Allocation::bytes).sum();
    MetaBuffer owner =
        new MetaBuffer(
            this,
            bytes,
            SplitState.MIRRORED,
            new Partition(n, Map.of()),
            new Storage[n],
            List.copyOf(owned));
    List<Storage> storages = new ArrayList<>();
    for (Tensor tensor : tensors) {
      @Nullable Storage[] parts = new Storage[n];
      for (int m = 0; m < n; m++) {
        parts[m] = places.get(m).get(tensor);
      }
      Spread spread = spreads.get(tensor);
      MetaBuffer buffer =
          new MetaBuffer(
              this, tensor.bytes(), spread.state(tensor), spread.partition(), parts, List.of());
      owner.closesWith(buffer);
      storages.add(new Storage(tensor, buffer, 0));
    }
    return Allocation.of(storages, List.of(owner));
  }

  private Map<Tensor, Storage> allocateMember(
      int member, Map<Tensor, Spread> spreads, List<Allocation> owned) {
    Device of = device.members().get(member);
    Map<BufferType, Map<Tensor, Tensor>> byType = new LinkedHashMap<>();
    spreads.forEach(
        (tensor, spread) -> {
          Map<String, BufferType> types = spread.weightTypes().get(member);
          spread
              .piece(tensor, member)
              .ifPresent(
                  piece ->
                      byType
                          .computeIfAbsent(
                              types.getOrDefault(tensor.name(), of.bufferType()),
                              t -> new LinkedHashMap<>())
                          .put(tensor, piece));
        });
    Map<Tensor, Storage> places = new HashMap<>();
    byType.forEach(
        (type, locals) -> {
          Allocation own = type.allocate(locals.values());
          owned.add(own);
          locals.forEach((full, local) -> places.put(full, own.storage(local)));
        });
    return places;
  }
}
