// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tensor in pieces reads, writes and copies like one that is whole, at any offset and length. */
class RangesTest {
  private static final List<DataType> TYPES =
      List.of(DataType.F32, DataType.F16, DataType.I32, DataType.Q8_0, DataType.Q4_0);

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 8})
  void anyRangeIsThatOfTheWhole(int members) {
    int split = 0;
    for (int seed = 0; seed < 40; seed++) {
      Random random = new Random(seed * 100 + members);
      Tensor a = tensor("a", random, Optional.empty());
      Tensor b = tensor("b", random, random.nextBoolean() ? Optional.of(a) : Optional.empty());
      split += ((Operation.Leaf) a.operation()).shard().isPresent() ? 1 : 0;
      MetaDevice meta = meta(members, random);
      try (Backend backend = meta.createBackend();
          Allocation places = meta.bufferType().allocate(List.of(a, b));
          Arena arena = Arena.ofShared()) {
        byte[] first = new byte[(int) a.bytes()];
        byte[] second = new byte[(int) b.bytes()];
        write(backend, places.storage(a), 0, first, 0, first.length, arena);
        write(backend, places.storage(b), 0, second, 0, second.length, arena);
        for (int turn = 0; turn < 12; turn++) {
          int from = random.nextInt(first.length + 1);
          int bytes = random.nextInt(first.length - from + 1);
          byte[] news = new byte[bytes];
          random.nextBytes(news);
          System.arraycopy(news, 0, first, from, bytes);
          write(backend, places.storage(a), from, news, 0, bytes, arena);
          int start = random.nextInt(first.length + 1);
          int length = random.nextInt(first.length - start + 1);
          assertThat(read(backend, places.storage(a), start, length, arena))
              .as("seed %d: %d bytes at %d of %s", seed, length, start, a)
              .isEqualTo(java.util.Arrays.copyOfRange(first, start, start + length));
        }
        boolean whole = first.length == second.length && random.nextBoolean();
        int bytes = whole ? first.length : random.nextInt(Math.min(first.length, second.length));
        int from = random.nextInt(first.length - bytes + 1);
        int to = random.nextInt(second.length - bytes + 1);
        System.arraycopy(first, from, second, to, bytes);
        backend.copy(places.storage(a), from, places.storage(b), to, bytes);
        assertThat(read(backend, places.storage(b), 0, second.length, arena))
            .as("seed %d: %d bytes copied from %d of %s to %d of %s", seed, bytes, from, a, to, b)
            .isEqualTo(second);
        refusesWhatLiesOutside(backend, places.storage(a), arena);
      }
    }
    assertThat(split).isGreaterThan(20);
  }

  private static void refusesWhatLiesOutside(Backend backend, Storage storage, Arena arena) {
    long bytes = storage.tensor().bytes();
    MemorySegment two = arena.allocate(2);
    assertThatThrownBy(() -> backend.set(storage, bytes - 1, two))
        .isInstanceOf(ConsortException.class);
    assertThatThrownBy(() -> backend.get(storage, -1, two)).isInstanceOf(ConsortException.class);
  }

  private static void write(
      Backend backend, Storage to, long offset, byte[] bytes, int from, int count, Arena arena) {
    MemorySegment host = arena.allocate(Math.max(1, count), 64).asSlice(0, count);
    MemorySegment.copy(bytes, from, host, ValueLayout.JAVA_BYTE, 0, count);
    backend.set(to, offset, host);
  }

  private static byte[] read(Backend backend, Storage from, long offset, int count, Arena arena) {
    MemorySegment host = arena.allocate(Math.max(1, count), 64).asSlice(0, count);
    host.fill((byte) 0x55);
    backend.get(from, offset, host);
    backend.synchronize();
    return host.toArray(ValueLayout.JAVA_BYTE);
  }

  private static MetaDevice meta(int count, Random random) {
    List<Device> members = new ArrayList<>();
    double[] weights = new double[count];
    for (int m = 0; m < count; m++) {
      members.add(new ReferenceDevice(ReferenceOptions.of(m)));
      weights[m] = m == 0 ? 1 : random.nextInt(4);
    }
    return new MetaDevice(members, weights, Split.TENSOR, WirePolicy.EXACT);
  }

  private static Tensor tensor(String name, Random random, Optional<Tensor> like) {
    if (like.isPresent()) {
      return new GraphBuilder().add(name, like.get().operation(), List.of());
    }
    DataType type = TYPES.get(random.nextInt(TYPES.size()));
    long block = type.blockElements();
    long[] ne = {block * (1 + random.nextInt(6)), 1 + random.nextInt(6), 1 + random.nextInt(4)};
    int axis = random.nextInt(3);
    long least = axis == 0 ? block : 1;
    long units = ne[axis] / least;
    List<Long> perUnit = random.nextBoolean() ? List.of(least) : List.of(least, 2 * least);
    ne[axis] = units * perUnit.stream().mapToLong(Long::longValue).sum();
    Optional<Shard> shard =
        random.nextInt(5) == 0
            ? Optional.empty()
            : Optional.of(new Shard(axis, new ShardGroup(name, units), perUnit));
    Shape shape = Shape.of(ne[0], ne[1], ne[2]);
    return new GraphBuilder().add(name, new Operation.State(type, shape, shard), List.of());
  }
}
