// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.HidingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * After a reduce every member holds the same bits and chose the same experts, whoever reduced: own
 * comms, the host, or both, over adversarial members of uneven and empty shares.
 */
class MembersAgreeTest {
  private static final int TURNS = 6;
  private static final int ROWS = 40;
  private static final int INNER = 9;
  private static final int TOKENS = 3;

  /** Who the members are. */
  enum Mix {
    /** One plugin with a comm. */
    ONE_PLUGIN,
    /** One plugin without. */
    NO_COMM,
    /** Every other member is of another plugin. */
    TWO_PLUGINS
  }

  private final GraphBuilder builder = new GraphBuilder();
  private final Tensor w =
      builder.weight(
          "w", DataType.F32, Shape.of(INNER, ROWS), Shard.of(0, new ShardGroup("inner", INNER), 1));
  private final Tensor x = builder.input("x", DataType.F32, Shape.of(INNER, TOKENS));
  private final Tensor sums = builder.output(builder.matMul(w, x));
  private final Tensor experts =
      builder.output(
          builder.add(
              "experts",
              new Operation.TopK(4),
              List.of(builder.softMax(builder.slice(sums, 0, 0, 16)))));
  private final Graph graph = builder.build();

  static Stream<Arguments> groups() {
    return Stream.of(2, 3, 4, 5, 7, 8)
        .flatMap(n -> Stream.of(Mix.values()).map(mix -> Arguments.of(n, mix)));
  }

  private static Device member(int m, Mix mix) {
    String plugin = mix == Mix.TWO_PLUGINS && m % 2 == 1 ? "beta" : "alpha";
    Device device =
        new ReferenceDevice(
            ReferenceOptions.of(m).plugin(plugin).adversary(Adversary.seeded(m + 1)));
    return mix == Mix.NO_COMM ? new HidingDevice(device, ProcAddresses.COMM_INIT) : device;
  }

  @ParameterizedTest(name = "{0} members, {1}")
  @MethodSource("groups")
  void onEveryBit(int n, Mix mix) {
    List<Device> members = new ArrayList<>();
    double[] shares = new double[n];
    for (int m = 0; m < n; m++) {
      members.add(member(m, mix));
      shares[m] = m == 1 && n > 2 ? 0.01 : 1 + m % 3;
    }
    MetaDevice meta = new MetaDevice(members, shares, Split.TENSOR, WirePolicy.EXACT);
    Random random = new Random(n);
    try (GraphRun run = new GraphRun(meta, graph);
        Arena arena = Arena.ofShared()) {
      assertThat(bytesHeld(run, w)).as("bytes of the split weight").isEqualTo(w.bytes());
      for (int turn = 0; turn < TURNS; turn++) {
        set(run, w, values(random, INNER * ROWS, turn), arena);
        set(run, x, values(random, INNER * TOKENS, 0), arena);
        run.backend().submit(run.plan());
        run.backend().synchronize();
        compare(members, run, sums, arena);
        compare(members, run, experts, arena);
      }
    }
  }

  /** What all members hold of a tensor; the tensor's own bytes if it is split, more if not. */
  private static long bytesHeld(GraphRun run, Tensor tensor) {
    Storage whole = run.allocation().storage(tensor);
    return Stream.of(((MetaBuffer) whole.buffer()).parts(whole).storages())
        .filter(part -> part != null)
        .mapToLong(part -> part.tensor().bytes())
        .sum();
  }

  private static void set(GraphRun run, Tensor leaf, float[] values, Arena arena) {
    MemorySegment bytes = arena.allocate(leaf.bytes(), 64);
    run.backend()
        .set(run.allocation().storage(leaf), 0, bytes.copyFrom(MemorySegment.ofArray(values)));
  }

  /** Numbers of very different sizes; in later turns NaNs of several kinds and infinities too. */
  private static float[] values(Random random, int count, int turn) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (random.nextFloat() - 0.5f) * (float) Math.pow(10, random.nextInt(7) - 3);
    }
    if (turn >= 3) {
      // Only rows that no expert is chosen by: their order among NaNs is nobody's.
      for (int row = 16; row < count / INNER; row++) {
        values[row * INNER + random.nextInt(INNER)] =
            switch (random.nextInt(5)) {
              case 0 -> Float.NaN;
              case 1 -> Float.intBitsToFloat(0xffc54321);
              case 2 -> Float.POSITIVE_INFINITY;
              case 3 -> Float.NEGATIVE_INFINITY;
              default -> 3e38f;
            };
      }
    }
    return values;
  }

  /** Reads a mirrored output where each member has it. */
  private static void compare(List<Device> members, GraphRun run, Tensor tensor, Arena arena) {
    Storage whole = run.allocation().storage(tensor);
    @Nullable Storage[] parts = ((MetaBuffer) whole.buffer()).parts(whole).storages();
    int[] first = null;
    int compared = 0;
    for (int m = 0; m < members.size(); m++) {
      Storage part = parts[m];
      if (part == null || part.tensor().bytes() != tensor.bytes()) {
        continue;
      }
      MemorySegment bytes = arena.allocate(tensor.bytes(), 64);
      try (Backend reader = members.get(m).createBackend()) {
        reader.get(part, 0, bytes);
        reader.synchronize();
      }
      int[] bits = bytes.toArray(ValueLayout.JAVA_INT);
      first = first == null ? bits : first;
      assertThat(bits).as("bits of %s on member %d", tensor, m).isEqualTo(first);
      compared++;
    }
    assertThat(compared).as("members that hold %s", tensor).isGreaterThan(1);
  }
}
