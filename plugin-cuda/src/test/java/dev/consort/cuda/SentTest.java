// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Terms that go to the other members from the product that makes them, and sums that are taken
 * where they are read, against kernels of their own.
 */
class SentTest {
  private static final int K = 2048;
  private static final int SLICE = 256;
  private static final int LAYERS = 3;
  private static final int ROUNDS = 20;

  /** Who reads the terms. */
  private enum Readers {
    SUMS,
    EVERYBODY
  }

  /** What one member computes. */
  private static final class Member {
    private final Backend backend;
    private final Graph graph;
    private final Schedule schedule;
    private final Allocation own;
    private final Buffer scratch;
    private final Allocation places;
    private final Plan plan;
    private final Tensor result;

    private Member(Backend backend, CommMember place, int rank, DataType type, Readers readers) {
      this.backend = backend;
      Map<Tensor, MemorySegment> leaves = new HashMap<>();
      GraphBuilder builder = new GraphBuilder();
      Random shared = new Random(3);
      Random own = new Random(100 + rank);
      Tensor x = builder.input("x", DataType.F32, Shape.of(K, 1));
      leaves.put(x, floats(shared, K, 1));
      for (int i = 0; i < LAYERS; i++) {
        Tensor made = normed(builder, leaves, shared, x, i);
        Tensor gate = product(builder, leaves, own, "gate" + i, type, SLICE, made);
        Tensor up = product(builder, leaves, own, "up" + i, type, SLICE, made);
        Tensor opened = builder.glu(Operation.Glu.Kind.SWIGLU, gate, up);
        Tensor term = product(builder, leaves, own, "down" + i, type, K, opened);
        if (readers == Readers.EVERYBODY) {
          builder.output(term);
        }
        x = builder.add(x, builder.add(new Operation.AllReduce(place), term));
      }
      this.result = builder.output(normed(builder, leaves, shared, x, LAYERS));
      this.graph = builder.build();
      this.schedule = backend.schedule(graph);
      List<Tensor> tensors = new ArrayList<>(graph.leaves());
      tensors.addAll(schedule.stored(graph));
      this.own = backend.device().bufferType().allocate(tensors);
      long bytes = Math.max(1, schedule.scratchBytes());
      this.scratch = backend.device().bufferType().allocate(bytes);
      this.places = this.own.withScratch(new Storage(tensors.getFirst(), scratch, 0));
      leaves.forEach((leaf, values) -> set(backend, leaf, values));
      this.plan = backend.compile(graph, schedule, places);
    }

    private void set(Backend backend, Tensor leaf, MemorySegment values) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(values.byteSize(), 64).copyFrom(values);
        backend.set(places.storage(leaf), 0, copy);
        backend.synchronize();
      }
    }

    private float[] found() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment found = arena.allocate(4L * K, 64);
        backend.get(places.storage(result), 0, found);
        backend.synchronize();
        return found.toArray(ValueLayout.JAVA_FLOAT);
      }
    }

    private void close() {
      plan.close();
      backend.close();
      own.close();
      scratch.close();
    }
  }

  private static MemorySegment floats(Random random, int count, float scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (random.nextFloat() * 2 - 1) * scale;
    }
    return MemorySegment.ofArray(values);
  }

  private static Tensor normed(
      GraphBuilder builder, Map<Tensor, MemorySegment> leaves, Random random, Tensor x, int i) {
    Tensor weight = builder.weight("norm" + i, DataType.F32, Shape.of(K));
    leaves.put(weight, floats(random, K, 2));
    return builder.mul(builder.add(new Operation.RmsNorm(1e-5f), x), weight);
  }

  private static Tensor product(
      GraphBuilder builder,
      Map<Tensor, MemorySegment> leaves,
      Random random,
      String name,
      DataType type,
      int rows,
      Tensor x) {
    int count = Math.toIntExact(x.ne(0) * rows);
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.bytes(count)]);
    Codec.of(type).encode(floats(random, count, 0.05f), 0, blocks, 0, count);
    Tensor weight = builder.weight(name, type, Shape.of(x.ne(0), rows));
    leaves.put(weight, blocks);
    return builder.matMul(weight, x);
  }

  /** What each member has after many rounds, in which members come in another order each time. */
  private static List<float[]> run(List<Device> devices, DataType type, Readers readers) {
    List<Backend> backends = devices.stream().map(Device::createBackend).toList();
    var init = devices.getFirst().find(ProcAddresses.COMM_INIT).orElseThrow();
    List<Member> members = new ArrayList<>();
    try (Comm comm = init.init(backends, WirePolicy.EXACT).orElseThrow()) {
      for (int rank = 0; rank < backends.size(); rank++) {
        members.add(new Member(backends.get(rank), comm.member(rank), rank, type, readers));
      }
      boolean sent =
          members.getFirst().schedule.steps().stream()
              .anyMatch(step -> Fusion.sent(step.nodes()).isPresent());
      assertThat(sent).isEqualTo(readers == Readers.SUMS);
      for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < members.size(); i++) {
          Member member = members.get((round + i) % members.size());
          member.backend.submit(member.plan);
        }
      }
      return members.stream().map(Member::found).toList();
    } finally {
      members.forEach(Member::close);
    }
  }

  @ParameterizedTest
  @CsvSource({"F16", "BF16", "Q4_K", "Q8_0", "Q6_K"})
  void the_sums_are_the_same(DataType type) {
    List<Device> devices = TestDevices.atLeast(2);
    for (int count = 2; count <= devices.size(); count++) {
      List<float[]> together = run(devices.subList(0, count), type, Readers.SUMS);
      List<float[]> apart = run(devices.subList(0, count), type, Readers.EVERYBODY);
      double error = 0;
      double norm = 0;
      for (int i = 0; i < K; i++) {
        error += Math.pow(together.getFirst()[i] - apart.getFirst()[i], 2);
        norm += Math.pow(apart.getFirst()[i], 2);
      }
      assertThat(norm).isPositive();
      assertThat(error / norm).isLessThan(1e-6);
      for (float[] member : together) {
        assertThat(member).isEqualTo(together.getFirst());
      }
    }
  }
}
