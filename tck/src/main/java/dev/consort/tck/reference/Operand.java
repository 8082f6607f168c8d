// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A tensor's elements in host memory, read and written through its strides.
 *
 * @param memory starts at the tensor's first element
 */
record Operand(Tensor tensor, MemorySegment memory) {

  long ne(int axis) {
    return tensor.ne(axis);
  }

  /** Elements along axis 0 of one row, as floats. */
  float[] row(long i1, long i2, long i3) {
    int length = Math.toIntExact(tensor.ne(0));
    float[] to = new float[length];
    long at = at(i1, i2, i3);
    DataType type = tensor.type();
    if (type.isQuantized()) {
      for (int i = 0; i < length; i += type.blockElements()) {
        BlockDecoder.decode(type, memory, at + i / type.blockElements() * tensor.nb(0), to, i);
      }
      return to;
    }
    for (int i = 0; i < length; i++) {
      to[i] = element(at + i * tensor.nb(0));
    }
    return to;
  }

  int index(long i0, long i1, long i2, long i3) {
    return memory.get(ValueLayout.JAVA_INT_UNALIGNED, at(i1, i2, i3) + i0 * tensor.nb(0));
  }

  int index(long i0, long i1) {
    return index(i0, i1, 0, 0);
  }

  void putIndex(long i0, long i1, long i2, long i3, int value) {
    memory.set(ValueLayout.JAVA_INT_UNALIGNED, at(i1, i2, i3) + i0 * tensor.nb(0), value);
  }

  /** Writes one row along axis 0, rounding to nearest even. */
  void putRow(long i1, long i2, long i3, float[] from) {
    long at = at(i1, i2, i3);
    for (int i = 0; i < from.length; i++) {
      put(at + i * tensor.nb(0), from[i]);
    }
  }

  private long at(long i1, long i2, long i3) {
    return i1 * tensor.nb(1) + i2 * tensor.nb(2) + i3 * tensor.nb(3);
  }

  private float element(long at) {
    return switch (tensor.type()) {
      case F32 -> memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      case F16 -> Float.float16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
      case BF16 -> Bf16.toFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
      case I32 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, at);
      default -> throw unwritable();
    };
  }

  private void put(long at, float value) {
    switch (tensor.type()) {
      case F32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
      case F16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
      case BF16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Bf16.fromFloat(value));
      default -> throw unwritable();
    }
  }

  private ConsortException unwritable() {
    return new ConsortException(
        ErrorCode.UNSUPPORTED, "single elements of " + tensor + " can't be read or written");
  }
}
