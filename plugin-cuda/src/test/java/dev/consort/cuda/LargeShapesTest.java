// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Kernels that only large shapes reach, on samples of their results. */
class LargeShapesTest {
  private static final int SAMPLES = 3000;

  static float[] run(Graph graph, Tensor result, Map<Tensor, MemorySegment> leaves) {
    Device device = TestDevices.atLeast(1).getFirst();
    try (Backend backend = device.createBackend();
        Arena arena = Arena.ofConfined()) {
      Schedule schedule = backend.schedule(graph);
      List<Tensor> tensors = new ArrayList<>(graph.leaves());
      tensors.addAll(schedule.stored(graph));
      try (Allocation own = device.bufferType().allocate(tensors);
          Buffer scratch = device.bufferType().allocate(Math.max(1, schedule.scratchBytes()));
          Allocation places = own.withScratch(new Storage(tensors.getFirst(), scratch, 0));
          Plan plan = backend.compile(graph, schedule, places)) {
        leaves.forEach((leaf, data) -> backend.set(places.storage(leaf), 0, data));
        backend.submit(plan);
        MemorySegment out = arena.allocate(result.bytes(), 64);
        backend.get(places.storage(result), 0, out);
        backend.synchronize();
        return out.toArray(ValueLayout.JAVA_FLOAT);
      }
    }
  }

  private static MemorySegment floats(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return MemorySegment.ofArray(values);
  }

  private static float at(MemorySegment floats, long index) {
    return floats.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index);
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_K", "Q5_K", "Q6_K", "Q8_0", "Q4_0", "Q5_0", "F16", "BF16", "F32"})
  void products_of_many_rows_and_columns(DataType type) {
    int k = 512;
    int m = 128 * 150 + 5;
    int n = 300;
    Random random = new Random(7);
    MemorySegment plain = floats(random, k * m);
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.bytes((long) k * m)]);
    Codec.of(type).encode(plain, 0, blocks, 0, (long) k * m);
    Codec.of(type).decode(blocks, 0, plain, 0, (long) k * m);
    MemorySegment x = floats(random, k * n);
    GraphBuilder builder = new GraphBuilder();
    Tensor weight = builder.weight("w", type, Shape.of(k, m));
    Tensor input = builder.input("x", DataType.F32, Shape.of(k, n));
    Tensor result = builder.output(builder.matMul(weight, input));
    float[] found = run(builder.build(), result, Map.of(weight, blocks, input, x));
    double error = 0;
    double norm = 0;
    for (int sample = 0; sample < SAMPLES; sample++) {
      int row = sample % 2 == 0 ? random.nextInt(m) : m - 1 - random.nextInt(8);
      int column = random.nextInt(n);
      double sum = 0;
      for (int i = 0; i < k; i++) {
        sum += (double) at(plain, (long) row * k + i) * at(x, (long) column * k + i);
      }
      error += Math.pow(sum - found[column * m + row], 2);
      norm += sum * sum;
    }
    assertThat(error / norm).isLessThan(2e-5);
  }

  private static final int ROWS = 1003;
  private static final int GATED = 320;

  /** Rows of a weight, and what they are exactly. */
  private record Rows(MemorySegment blocks, MemorySegment plain) {
    private static Rows random(Random random, DataType type, int k, int rows) {
      MemorySegment plain = floats(random, k * rows);
      MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.bytes((long) k * rows)]);
      Codec.of(type).encode(plain, 0, blocks, 0, (long) k * rows);
      Codec.of(type).decode(blocks, 0, plain, 0, (long) k * rows);
      return new Rows(blocks, plain);
    }

    private double dot(int row, MemorySegment x) {
      double sum = 0;
      int k = (int) (x.byteSize() / Float.BYTES);
      for (int i = 0; i < k; i++) {
        sum += (double) at(plain, (long) row * k + i) * at(x, i);
      }
      return sum;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_K, 3584",
    "Q5_K, 3584",
    "Q6_K, 3584",
    "Q8_0, 3616",
    "Q4_0, 3616",
    "F16, 3592",
    "BF16, 3592",
    "Q4_K, 16384",
    "Q6_K, 16384",
    "F16, 16384",
    "F16, 40960",
    "Q8_0, 160",
    "F16, 40"
  })
  void products_of_one_column(DataType type, int k) {
    Random random = new Random(11);
    Rows rows = Rows.random(random, type, k, ROWS);
    MemorySegment x = floats(random, k);
    GraphBuilder builder = new GraphBuilder();
    Tensor weight = builder.weight("w", type, Shape.of(k, ROWS));
    Tensor input = builder.input("x", DataType.F32, Shape.of(k, 1));
    Tensor result = builder.output(builder.matMul(weight, input));
    float[] found = run(builder.build(), result, Map.of(weight, rows.blocks, input, x));
    double error = 0;
    double norm = 0;
    for (int row = 0; row < ROWS; row++) {
      double expected = rows.dot(row, x);
      error += Math.pow(expected - found[row], 2);
      norm += expected * expected;
    }
    assertThat(error / norm).isLessThan(2e-4);
  }

  @ParameterizedTest
  @CsvSource({"Q4_K, 3584", "Q6_K, 3584", "Q8_0, 3616", "F16, 3592", "BF16, 16384", "F16, 40960"})
  void gates_of_one_column(DataType type, int k) {
    Random random = new Random(12);
    Rows gates = Rows.random(random, type, k, GATED);
    Rows ups = Rows.random(random, type, k, GATED);
    MemorySegment x = floats(random, k);
    GraphBuilder builder = new GraphBuilder();
    Tensor gate = builder.weight("gate", type, Shape.of(k, GATED));
    Tensor up = builder.weight("up", type, Shape.of(k, GATED));
    Tensor input = builder.input("x", DataType.F32, Shape.of(k, 1));
    Tensor opened =
        builder.glu(
            Operation.Glu.Kind.SWIGLU, builder.matMul(gate, input), builder.matMul(up, input));
    Tensor result = builder.output(opened);
    float[] found =
        run(builder.build(), result, Map.of(gate, gates.blocks, up, ups.blocks, input, x));
    double error = 0;
    double norm = 0;
    for (int row = 0; row < GATED; row++) {
      double g = gates.dot(row, x);
      double expected = g / (1 + Math.exp(-g)) * ups.dot(row, x);
      error += Math.pow(expected - found[row], 2);
      norm += expected * expected;
    }
    assertThat(error / norm).isLessThan(5e-4);
  }

  @ParameterizedTest
  @CsvSource({
    "64, 0, 0, 150, 6, 2", "128, 0, 0, 150, 6, 2", "128, 40, 0, 150, 6, 2", "128, 0, 3, 150, 6, 2",
    "64, 33, 2, 150, 6, 2", "128, 0, 0, 1, 32, 8", "128, 40, 3, 1, 32, 8", "64, 0, 0, 1, 14, 2",
    "128, 0, 0, 3, 64, 4", "64, 33, 0, 2, 9, 9", "128, 0, 0, 2, 20, 2"
  })
  void attention(int d, int window, float softcap, int tokens, int heads, int groups) {
    int cells = 1500;
    int live = 1411;
    Random random = new Random(3);
    MemorySegment q = floats(random, d * heads * tokens);
    List<MemorySegment> caches = new ArrayList<>();
    List<MemorySegment> halves = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      short[] half = new short[d * groups * cells];
      float[] exact = new float[half.length];
      for (int j = 0; j < half.length; j++) {
        half[j] = Float.floatToFloat16(random.nextFloat() * 2 - 1);
        exact[j] = Float.float16ToFloat(half[j]);
      }
      halves.add(MemorySegment.ofArray(half));
      caches.add(MemorySegment.ofArray(exact));
    }
    int[] queries = new int[2 * tokens];
    for (int t = 0; t < tokens; t++) {
      queries[2 * t] = 600 + t;
      queries[2 * t + 1] = t > 0 && t == tokens - 1 ? 0 : 1 + t % 2;
    }
    int[] owners = new int[2 * cells];
    for (int s = 0; s < cells; s++) {
      owners[2 * s] = s / 2;
      owners[2 * s + 1] = s % 5 == 4 ? 0 : 1 + s % 3;
    }
    GraphBuilder builder = new GraphBuilder();
    Tensor[] sources = {
      builder.input("q", DataType.F32, Shape.of(d, heads, tokens)),
      builder.state("k", DataType.F16, Shape.of(d, groups, cells)),
      builder.state("v", DataType.F16, Shape.of(d, groups, cells)),
      builder.input("queries", DataType.I32, Shape.of(2, tokens)),
      builder.input("cells", DataType.I32, Shape.of(2, cells)),
      builder.input("live", DataType.I32, Shape.of(1))
    };
    float scale = (float) (2 / Math.sqrt(d));
    Tensor result =
        builder.output(builder.add(new Operation.Attention(scale, softcap, window), sources));
    float[] found =
        run(
            builder.build(),
            result,
            Map.of(
                sources[0], q,
                sources[1], halves.get(0),
                sources[2], halves.get(1),
                sources[3], MemorySegment.ofArray(queries),
                sources[4], MemorySegment.ofArray(owners),
                sources[5], MemorySegment.ofArray(new int[] {live})));
    double error = 0;
    double norm = 0;
    for (int t = 0; t < tokens; t += tokens > 7 ? 7 : 1) {
      for (int h = 0; h < heads; h++) {
        int group = h / (heads / groups);
        double total = 0;
        double[] sums = new double[d];
        for (int s = 0; s < live; s++) {
          int behind = queries[2 * t] - owners[2 * s];
          boolean seen = (owners[2 * s + 1] & queries[2 * t + 1]) != 0 && behind >= 0;
          if (!seen || (window != 0 && behind >= window)) {
            continue;
          }
          double score = 0;
          for (int i = 0; i < d; i++) {
            score +=
                (double) at(q, ((long) t * heads + h) * d + i)
                    * at(caches.get(0), ((long) s * groups + group) * d + i);
          }
          score *= scale;
          double weight = Math.exp(softcap > 0 ? softcap * Math.tanh(score / softcap) : score);
          total += weight;
          for (int i = 0; i < d; i++) {
            sums[i] += weight * at(caches.get(1), ((long) s * groups + group) * d + i);
          }
        }
        for (int i = 0; i < d; i++) {
          double expected = total > 0 ? sums[i] / total : 0;
          error += Math.pow(expected - found[(t * heads + h) * d + i], 2);
          norm += expected * expected;
        }
      }
    }
    assertThat(error / norm).isLessThan(1e-5);
  }
}
