// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.api.DataType;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Products with packed weights in Java. */
class VectorProductsTest {
  private static final int K = 2048;
  private static final int COLUMNS = 7;

  private final com.sun.management.ThreadMXBean threads =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  @BeforeAll
  static void vectorsAreThere() {
    assumeTrue(Vectors.PRESENT, "started without --add-modules jdk.incubator.vector");
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q6_K", "F16", "BF16"})
  void fewColumnsAndManyGiveWhatTheDecodedWeightsGive(DataType type) {
    try (Arena arena = Arena.ofConfined()) {
      var product = new Product(arena, type);
      float[] expected = product.expected();
      assertThat(product.few()).containsExactly(expected, within(1e-3f));
      assertThat(product.many()).containsExactly(expected, within(1e-3f));
    }
  }

  /** No time is asserted: the compiler comes when it comes, and then no vector is an object. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q6_K", "F16", "BF16"})
  @Timeout(120)
  void compiledProductsLeaveNoGarbage(DataType type) {
    try (Arena arena = Arena.ofConfined()) {
      var product = new Product(arena, type);
      long bytes = Long.MAX_VALUE;
      while (bytes > 20_000) {
        long before = threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
        for (int i = 0; i < 500; i++) {
          product.few();
          product.many();
        }
        bytes = threads.getThreadAllocatedBytes(Thread.currentThread().threadId()) - before;
        bytes -= 2 * 500 * product.resultBytes();
      }
    }
  }

  /** One panel of random weights times some columns. */
  private static final class Product {
    private final DataType type;
    private final int rows = Vectors.LANES;
    private final MemorySegment weights;
    private final MemorySegment packed;
    private final MemorySegment x;
    private final MemorySegment tiles;
    private final MemorySegment sums;
    private final MemorySegment y;
    private final MemorySegment room;

    Product(Arena arena, DataType type) {
      this.type = type;
      long rowBytes = type.bytes(K);
      weights = arena.allocate(rowBytes * rows, 64);
      packed = arena.allocate(rowBytes * rows, 64);
      x = arena.allocate(4L * K * COLUMNS, 64);
      tiles = arena.allocate(4L * K * PortablePacking.padded(COLUMNS), 64);
      sums = arena.allocate(4L * K / PortablePacking.SUMMED * COLUMNS, 64);
      y = arena.allocate(4L * rows, 64);
      room = arena.allocate(PortablePacking.tileRoom(COLUMNS), 64);
      var random = new Random(type.ordinal());
      MemorySegment floats = arena.allocate(4L * K * rows, 64);
      fill(floats, random);
      fill(x, random);
      Codec.of(type).encode(floats, 0, weights, 0, (long) K * rows);
      new PortablePanels(type, packed.address(), K, rows).set(0, weights, 0, weights.byteSize());
      for (int c = 0; c < COLUMNS; c++) {
        long column = x.address() + 4L * K * c;
        VectorProducts.sums(column, K, sums.address() + 4L * K / PortablePacking.SUMMED * c);
        VectorProducts.activations(column, K, c, COLUMNS, tiles.address());
      }
    }

    private static void fill(MemorySegment floats, Random random) {
      for (long j = 0; j < floats.byteSize() / 4; j++) {
        floats.setAtIndex(ValueLayout.JAVA_FLOAT, j, random.nextFloat(-0.1f, 0.1f));
      }
    }

    long resultBytes() {
      return 16 + 4L * rows * COLUMNS;
    }

    float[] expected() {
      float[] result = new float[rows * COLUMNS];
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment row = arena.allocate(4L * K, 64);
        for (int r = 0; r < rows; r++) {
          Codec.of(type).decode(weights, type.bytes(K) * r, row, 0, K);
          for (int c = 0; c < COLUMNS; c++) {
            double sum = 0;
            for (int j = 0; j < K; j++) {
              sum +=
                  (double) row.getAtIndex(ValueLayout.JAVA_FLOAT, j)
                      * x.getAtIndex(ValueLayout.JAVA_FLOAT, (long) K * c + j);
            }
            result[c * rows + r] = (float) sum;
          }
        }
      }
      return result;
    }

    float[] few() {
      float[] result = new float[rows * COLUMNS];
      for (int c = 0; c < COLUMNS; c++) {
        long column = x.address() + 4L * K * c;
        long sum = sums.address() + 4L * K / PortablePacking.SUMMED * c;
        VectorProducts.few(type, packed.address(), K, column, sum, y.address(), room.address());
        MemorySegment.copy(y, ValueLayout.JAVA_FLOAT, 0, result, c * rows, rows);
      }
      return result;
    }

    float[] many() {
      float[] result = new float[rows * COLUMNS];
      long bytes = type.bytes(K) * rows;
      long at =
          VectorProducts.many(
              type, packed.address(), bytes, 1, K, tiles.address(), COLUMNS, room.address());
      for (int c = 0; c < COLUMNS; c++) {
        VectorProducts.results(at, c, 1, y.address());
        MemorySegment.copy(y, ValueLayout.JAVA_FLOAT, 0, result, c * rows, rows);
      }
      return result;
    }
  }
}
