// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Bf16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.DoubleSupplier;

/** Makes the data of a leaf. */
public interface Fill {
  /** Fills all bytes of the tensor, the same for equally seeded randoms. */
  void fill(Tensor tensor, MemorySegment bytes, Random random);

  /** Evenly distributed in [from, to); quantised types get random blocks instead. */
  static Fill uniform(double from, double to) {
    return (tensor, bytes, random) -> {
      if (tensor.type().isQuantized()) {
        RandomBlocks.fill(tensor.type(), bytes, random);
      } else {
        floats(tensor, bytes, () -> from + (to - from) * random.nextDouble());
      }
    };
  }

  /** In [-1, 1). */
  static Fill uniform() {
    return uniform(-1, 1);
  }

  /** A handful of values, so that many are equal. */
  static Fill levels(int count) {
    return (tensor, bytes, random) ->
        floats(tensor, bytes, () -> random.nextInt(count) * 0.25 - 0.5);
  }

  /** The given floats, again and again. */
  static Fill floats(float... values) {
    return (tensor, bytes, random) -> {
      int[] next = {0};
      floats(tensor, bytes, () -> values[next[0]++ % values.length]);
    };
  }

  /** The given integers, again and again. */
  static Fill indices(int... values) {
    return (tensor, bytes, random) -> {
      for (int i = 0; i < tensor.shape().elements(); i++) {
        bytes.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, values[i % values.length]);
      }
    };
  }

  /** Integers in [from, to). */
  static Fill randomIndices(int from, int to) {
    return (tensor, bytes, random) -> {
      for (int i = 0; i < tensor.shape().elements(); i++) {
        bytes.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, random.nextInt(from, to));
      }
    };
  }

  private static void floats(Tensor tensor, MemorySegment bytes, DoubleSupplier values) {
    DataType type = tensor.type();
    for (int i = 0; i < tensor.shape().elements(); i++) {
      float value = (float) values.getAsDouble();
      switch (type) {
        case F32 -> bytes.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value);
        case F16 ->
            bytes.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, Float.floatToFloat16(value));
        case BF16 -> bytes.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, Bf16.fromFloat(value));
        default -> throw new IllegalArgumentException(tensor + " takes no floats");
      }
    }
  }
}
