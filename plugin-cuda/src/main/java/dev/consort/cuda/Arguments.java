// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A kernel's argument structure, written field by field with C's alignment. */
final class Arguments {
  private static final int MOST = 2048;
  private static final int WIDEST = 8;

  private final ByteBuffer bytes = ByteBuffer.allocate(MOST).order(ByteOrder.nativeOrder());

  /** Zeros up to a multiple of {@code to}. */
  Arguments align(int to) {
    bytes.position((bytes.position() + to - 1) & -to);
    return this;
  }

  /** A structure inside. */
  Arguments bytes(byte[] structure) {
    bytes.put(structure);
    return this;
  }

  Arguments word(long value) {
    align(8);
    bytes.putLong(value);
    return this;
  }

  Arguments integer(long value) {
    align(4);
    bytes.putInt(Math.toIntExact(value));
    return this;
  }

  Arguments real(float value) {
    align(4);
    bytes.putFloat(value);
    return this;
  }

  Arguments wide(double value) {
    align(8);
    bytes.putDouble(value);
    return this;
  }

  /** {@code Tensor} of common.cuh. */
  Arguments tensor(long address, Tensor tensor) {
    word(address);
    for (int axis = 0; axis < Shape.AXES; axis++) {
      integer(tensor.ne(axis));
    }
    for (int axis = 0; axis < Shape.AXES; axis++) {
      word(tensor.nb(axis));
    }
    return this;
  }

  byte[] bytes() {
    align(WIDEST);
    return Arrays.copyOf(bytes.array(), bytes.position());
  }
}
