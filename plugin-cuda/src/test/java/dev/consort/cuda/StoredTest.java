// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products whose activations are made and whose results are turned and stored where they are
 * computed, against a kernel for each.
 */
class StoredTest {
  private static final int K = 1024;
  private static final int D = 64;
  private static final int HEADS = 8;
  private static final int GROUPS = 2;
  private static final int CELLS = 300;
  private static final int LIVE = 280;
  private static final int SLOT = 279;

  /** Who reads the products. */
  private enum Readers {
    ATTENTION,
    EVERYBODY
  }

  private final Map<Tensor, MemorySegment> leaves = new HashMap<>();
  private final Random random = new Random(5);

  private Tensor product(GraphBuilder builder, String name, DataType type, int heads, Tensor x) {
    int count = K * D * heads;
    MemorySegment plain = floats(count, 0.05f);
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.bytes(count)]);
    Codec.of(type).encode(plain, 0, blocks, 0, count);
    Tensor weight = builder.weight(name, type, Shape.of(K, D * heads));
    leaves.put(weight, blocks);
    return builder.matMul(weight, x);
  }

  private MemorySegment floats(int count, float scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (random.nextFloat() * 2 - 1) * scale;
    }
    return MemorySegment.ofArray(values);
  }

  private Tensor normed(GraphBuilder builder) {
    Tensor x = builder.input("x", DataType.F32, Shape.of(K, 1));
    Tensor other = builder.input("other", DataType.F32, Shape.of(K, 1));
    Tensor weight = builder.weight("norm", DataType.F32, Shape.of(K));
    leaves.put(x, floats(K, 1));
    leaves.put(other, floats(K, 1));
    leaves.put(weight, floats(K, 2));
    Tensor norm = builder.add(new Operation.RmsNorm(1e-5f), builder.add(x, other));
    return builder.mul(norm, weight);
  }

  private Tensor cache(GraphBuilder builder, String name) {
    Tensor cache = builder.state(name, DataType.F16, Shape.of(D, GROUPS, CELLS));
    short[] values = new short[D * GROUPS * CELLS];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.floatToFloat16(random.nextFloat() * 2 - 1);
    }
    leaves.put(cache, MemorySegment.ofArray(values));
    return cache;
  }

  private Tensor integers(GraphBuilder builder, String name, Shape shape, int... values) {
    Tensor input = builder.input(name, DataType.I32, shape);
    leaves.put(input, MemorySegment.ofArray(values));
    return input;
  }

  private float[] attended(DataType type, Rope rope, Readers readers) {
    leaves.clear();
    random.setSeed(5);
    GraphBuilder builder = new GraphBuilder();
    Tensor x = normed(builder);
    Tensor q = product(builder, "q", type, HEADS, x);
    Tensor k = product(builder, "k", type, GROUPS, x);
    Tensor v = product(builder, "v", type == DataType.Q4_K ? DataType.Q6_K : type, GROUPS, x);
    Tensor positions = integers(builder, "positions", Shape.of(1), 1234);
    Tensor slots = integers(builder, "slots", Shape.of(1), SLOT);
    int[] cells = new int[2 * CELLS];
    for (int i = 0; i < CELLS; i++) {
      cells[2 * i] = i;
      cells[2 * i + 1] = 1;
    }
    Tensor turned = builder.add(rope, builder.reshape(k, Shape.of(D, GROUPS, 1)), positions);
    Tensor attended =
        builder.add(
            new Operation.Attention(0.125f, 0, 0),
            builder.add(rope, builder.reshape(q, Shape.of(D, HEADS, 1)), positions),
            builder.setRows(cache(builder, "keys"), turned, slots),
            builder.setRows(
                cache(builder, "values"), builder.reshape(v, Shape.of(D, GROUPS, 1)), slots),
            integers(builder, "queries", Shape.of(2, 1), SLOT, 1),
            integers(builder, "cells", Shape.of(2, CELLS), cells),
            integers(builder, "live", Shape.of(1), LIVE));
    Tensor result = builder.output(attended);
    if (readers == Readers.EVERYBODY) {
      builder.output(x);
      builder.output(q);
      builder.output(k);
      builder.output(v);
    }
    Graph graph = builder.build();
    return LargeShapesTest.run(graph, result, leaves);
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_K, NORM, 64",
    "Q8_0, NEOX, 64",
    "F16, NORM, 64",
    "F16, NEOX, 32",
    "BF16, NORM, 32"
  })
  void attention_is_the_same(DataType type, Rope.Mode mode, int dims) {
    Rope rope = new Rope(mode, dims, 10000, 1, 0, 1, 32, 1, 2048);
    float[] together = attended(type, rope, Readers.ATTENTION);
    float[] apart = attended(type, rope, Readers.EVERYBODY);
    double error = 0;
    double norm = 0;
    for (int i = 0; i < apart.length; i++) {
      error += Math.pow(together[i] - apart[i], 2);
      norm += Math.pow(apart[i], 2);
    }
    assertThat(norm).isPositive();
    assertThat(error / norm).isLessThan(1e-6);
  }
}
