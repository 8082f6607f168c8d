// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Comm;
import dev.consort.api.DataType;
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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products whose weights are split along the elements that are added up. */
class SplitProductTest {
  private static final int ROWS = 48;
  private static final int BLOCKS = 11;

  @ParameterizedTest
  @CsvSource({
    "avx512, Q8_0, 1", "avx512, Q8_0, 9", "avx512, Q4_0, 1", "avx512, Q4_0, 9",
    "avx512, Q4_K, 1", "avx512, Q4_K, 9", "avx512, Q6_K, 1", "avx512, Q6_K, 9",
    "avx2, Q8_0, 1", "avx2, Q8_0, 9", "avx2, Q4_K, 3", "avx2, Q6_K, 9",
  })
  void membersAddUpToTheBitsOfTheWhole(String path, DataType type, int columns) {
    try (CpuDevice device = TestDevices.of(path, 2)) {
      byte[] weight = weight(type);
      float[] x = activations(type, columns);
      float[] whole = run(device, type, weight, x, columns, BLOCKS).getFirst();

      assertThat(run(device, type, weight, x, columns, 6, 5)).containsOnly(whole);
      assertThat(run(device, type, weight, x, columns, 1, 7, 3)).containsOnly(whole);
      assertThat(run(device, type, weight, x, columns, 5, 0, 6)).containsOnly(whole);
    }
  }

  /** What every member has in the end; {@code shares} are their blocks. */
  private static List<float[]> run(
      CpuDevice device, DataType type, byte[] weight, float[] x, int columns, int... shares) {
    List<Backend> backends = new ArrayList<>();
    for (int i = 0; i < shares.length; i++) {
      backends.add(device.createBackend());
    }
    List<float[]> results = new ArrayList<>();
    try (Comm comm =
        device
            .find(ProcAddresses.COMM_INIT)
            .orElseThrow()
            .init(backends, WirePolicy.EXACT)
            .orElseThrow()) {
      List<Member> members = new ArrayList<>();
      int from = 0;
      for (int rank = 0; rank < shares.length; rank++) {
        var graph = new GraphBuilder();
        var handle = comm.member(rank);
        UnaryOperator<Tensor> sum = term -> graph.add(new Operation.AllReduce(handle), term);
        int to = from + shares[rank];
        members.add(new Member(backends.get(rank), graph, sum, type, columns, to - from));
        members.getLast().set(rows(weight, type, from, to), part(x, type, columns, from, to));
        from = to;
      }
      members.reversed().forEach(member -> member.backend.submit(member.plan));
      members.forEach(member -> results.add(member.result(columns)));
      members.forEach(Member::close);
    }
    backends.forEach(Backend::close);
    return results;
  }

  /** A product of one member's blocks, and the sum that it is a term of. */
  private static final class Member implements AutoCloseable {
    private final Backend backend;
    private final Allocation weights;
    private final Allocation memory;
    private final Allocation scratch;
    private final Storage w;
    private final Storage x;
    private final Storage y;
    private final Plan plan;

    Member(
        Backend backend,
        GraphBuilder graph,
        UnaryOperator<Tensor> sum,
        DataType type,
        int columns,
        int blocks) {
      this.backend = backend;
      long k = (long) blocks * type.blockElements();
      Tensor weight = graph.weight("w", type, Shape.of(k, ROWS));
      Tensor input = graph.input("x", DataType.F32, Shape.of(k, columns));
      Tensor output = graph.output(sum.apply(graph.matMul(weight, input)));
      Graph built = graph.build();
      Schedule schedule = backend.schedule(built);
      BufferType packed =
          backend
              .device()
              .find(ProcAddresses.EXTRA_BUFFER_TYPES)
              .orElseThrow()
              .bufferTypes()
              .getFirst();
      weights = packed.allocate(List.of(weight));
      memory = backend.device().bufferType().allocate(List.of(input, output));
      var area = backend.device().bufferType().allocate(schedule.scratchBytes() + 64);
      scratch = Allocation.of(List.of(), List.of(area));
      Allocation all = Allocation.join(List.of(weights, memory));
      plan = backend.compile(built, schedule, all.withScratch(new Storage(input, area, 0)));
      w = weights.storage(weight);
      x = memory.storage(input);
      y = memory.storage(output);
    }

    void set(byte[] weight, float[] input) {
      backend.set(w, 0, MemorySegment.ofArray(weight));
      backend.set(x, 0, MemorySegment.ofArray(input));
      backend.synchronize();
    }

    float[] result(int columns) {
      float[] result = new float[ROWS * columns];
      backend.get(y, 0, MemorySegment.ofArray(result));
      backend.synchronize();
      return result;
    }

    @Override
    public void close() {
      plan.close();
      scratch.close();
      memory.close();
      weights.close();
    }
  }

  /** Random blocks whose scales are numbers. */
  private static byte[] weight(DataType type) {
    byte[] bytes = new byte[ROWS * BLOCKS * type.blockBytes()];
    var random = new Random(7);
    random.nextBytes(bytes);
    MemorySegment segment = MemorySegment.ofArray(bytes);
    int scale = type == DataType.Q6_K ? 208 : 0;
    int scales = type == DataType.Q4_K ? 2 : 1;
    for (int block = 0; block < ROWS * BLOCKS; block++) {
      for (int i = 0; i < scales; i++) {
        short half = Float.floatToFloat16(0.01f + random.nextFloat());
        long at = (long) block * type.blockBytes() + scale + 2 * i;
        segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, half);
      }
    }
    return bytes;
  }

  private static float[] activations(DataType type, int columns) {
    var random = new Random(11);
    float[] x = new float[BLOCKS * type.blockElements() * columns];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static byte[] rows(byte[] weight, DataType type, int from, int to) {
    int bytes = type.blockBytes();
    byte[] cut = new byte[ROWS * (to - from) * bytes];
    for (int row = 0; row < ROWS; row++) {
      int length = (to - from) * bytes;
      System.arraycopy(weight, (row * BLOCKS + from) * bytes, cut, row * length, length);
    }
    return cut;
  }

  private static float[] part(float[] x, DataType type, int columns, int from, int to) {
    int elements = type.blockElements();
    float[] cut = new float[(to - from) * elements * columns];
    for (int column = 0; column < columns; column++) {
      int length = (to - from) * elements;
      System.arraycopy(x, (column * BLOCKS + from) * elements, cut, column * length, length);
    }
    return cut;
  }
}
