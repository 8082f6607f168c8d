// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.MemorySegment;

/**
 * A tensor's elements, read and written a row at a time as floats, whatever its type and strides.
 *
 * @param memory starts at the first element
 */
record TemplateTensor(Tensor tensor, MemorySegment memory) {
  long ne(int axis) {
    return tensor.ne(axis);
  }

  private long at(long i1, long i2, long i3) {
    return i1 * tensor.nb(1) + i2 * tensor.nb(2) + i3 * tensor.nb(3);
  }

  float[] row(long i1, long i2, long i3) {
    float[] row = new float[Math.toIntExact(ne(0))];
    MemorySegment to = MemorySegment.ofArray(row);
    Codec codec = Codec.of(tensor.type());
    if (tensor.nb(0) == tensor.type().blockBytes()) {
      codec.decode(memory, at(i1, i2, i3), to, 0, row.length);
      return row;
    }
    for (int i = 0; i < row.length; i++) {
      codec.decode(memory, at(i1, i2, i3) + i * tensor.nb(0), to, (long) Float.BYTES * i, 1);
    }
    return row;
  }

  /** Makes one row of a result. */
  interface Row {
    float[] make(long i1, long i2, long i3);
  }

  /** Makes all rows; results are contiguous. */
  void eachRow(Row row) {
    for (long i3 = 0; i3 < ne(3); i3++) {
      for (long i2 = 0; i2 < ne(2); i2++) {
        for (long i1 = 0; i1 < ne(1); i1++) {
          MemorySegment from = MemorySegment.ofArray(row.make(i1, i2, i3));
          Codec.of(tensor.type()).encode(from, 0, memory, at(i1, i2, i3), ne(0));
        }
      }
    }
  }
}
