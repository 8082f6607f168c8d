// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.Wire;
import dev.consort.host.check.ErrorLimit;
import dev.consort.host.meta.MemberPieces;
import dev.consort.host.meta.MetaDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;

/** Each member holds one term of a sum; then all must hold the sum, bit by bit the same. */
final class SumRun implements AutoCloseable {
  private static final int TURNS = 3;
  private static final double EXACT = 1e-12;
  private static final double BF16 = 1e-4;

  private final MetaDevice device;
  private final int elements;
  private final Tensor terms;
  private final Tensor sum;
  private final Arena arena = Arena.ofShared();
  private final Backend backend;
  private final Allocation allocation;
  private final Plan plan;

  /** What has to be closed, the last first. */
  private final List<Runnable> open = new ArrayList<>(List.of(arena::close));

  SumRun(MetaDevice device, int elements) {
    this.device = device;
    this.elements = elements;
    int members = device.members().size();
    GraphBuilder builder = new GraphBuilder();
    Shard shard = Shard.of(1, new ShardGroup("members", members), 1);
    Shape shape = Shape.of(elements, members);
    terms =
        builder.add(
            "terms", new Operation.Input(DataType.F32, shape, Optional.of(shard)), List.of());
    sum = builder.output(builder.unary(Operation.Unary.Kind.NEG, builder.sum(terms, 1)));
    Graph graph = builder.build();
    try {
      backend = device.createBackend();
      open.add(backend::close);
      Schedule schedule = backend.schedule(graph);
      List<Tensor> here = new ArrayList<>(graph.leaves());
      here.addAll(schedule.stored(graph));
      allocation = device.bufferType().allocate(here);
      open.add(open.size() - 1, allocation::close);
      plan = backend.compile(graph, schedule, allocation);
      open.add(plan::close);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  Outcome check() {
    Random random = new Random(elements);
    double worst = 0;
    for (int turn = 0; turn < TURNS; turn++) {
      float[] expected = set(random);
      backend.submit(plan);
      backend.synchronize();
      int[] first = held(0);
      for (int m = 1; m < device.members().size(); m++) {
        int[] other = held(m);
        for (int i = 0; i < elements; i++) {
          if (first[i] != other[i]) {
            return Outcome.failed(
                "turn %d: element %d is %s on member %d (%s) and %s on member 0; all must hold the same bits"
                    .formatted(
                        turn,
                        i,
                        Float.intBitsToFloat(other[i]),
                        m,
                        device.members().get(m).info().id(),
                        Float.intBitsToFloat(first[i])));
          }
        }
      }
      worst = Math.max(worst, ErrorLimit.nmse(floats(first), expected));
    }
    double limit = device.wire().wire(elements) == Wire.F32 ? EXACT : BF16;
    String measured =
        String.format(
            Locale.ROOT, "same bits on all, NMSE %.2e, limit %.0e, by %s", worst, limit, who());
    return worst <= limit ? Outcome.passed(measured) : Outcome.failed(measured);
  }

  /** Sets every member's term, of very different sizes, and returns minus their sum. */
  private float[] set(Random random) {
    int members = device.members().size();
    float[] values = new float[elements * members];
    double[] total = new double[elements];
    for (int i = 0; i < values.length; i++) {
      values[i] = (random.nextFloat() + 0.1f) * (float) Math.pow(10, i % 7 - 3);
      total[i % elements] += values[i];
    }
    MemorySegment host = arena.allocate(terms.bytes(), 64);
    backend.set(allocation.storage(terms), 0, host.copyFrom(MemorySegment.ofArray(values)));
    float[] expected = new float[elements];
    for (int i = 0; i < elements; i++) {
      expected[i] = (float) -total[i];
    }
    return expected;
  }

  /** The bits of the sum on one member. */
  private int[] held(int member) {
    Storage piece = MemberPieces.of(allocation.storage(sum), member).orElseThrow();
    MemorySegment bytes = arena.allocate(sum.bytes(), 64);
    try (Backend reader = device.members().get(member).createBackend()) {
      reader.get(piece, 0, bytes);
      reader.synchronize();
    }
    return bytes.toArray(ValueLayout.JAVA_INT);
  }

  private static float[] floats(int... bits) {
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = Float.intBitsToFloat(bits[i]);
    }
    return values;
  }

  /** Who adds up. */
  private String who() {
    List<String> comms =
        device.members().stream()
            .filter(member -> member.find(ProcAddresses.COMM_INIT).isPresent())
            .map(Device::info)
            .map(info -> info.plugin() + "'s comm")
            .distinct()
            .toList();
    boolean onePlugin =
        device.members().stream().map(m -> m.info().plugin()).distinct().count() == 1;
    return comms.size() == 1 && onePlugin
        ? comms.getFirst()
        : comms.stream().map(comm -> comm + " and ").collect(Collectors.joining()) + "the host";
  }

  @Override
  public void close() {
    open.reversed().forEach(Runnable::run);
  }
}
