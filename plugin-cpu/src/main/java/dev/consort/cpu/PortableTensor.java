// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.quant.Codec;
import java.lang.foreign.ValueLayout;

/** A tensor of a step, as one thread of the portable path reads it. Used again for every step. */
final class PortableTensor {
  private static final DataType[] TYPES = new DataType[64];

  static {
    for (DataType type : DataType.values()) {
      TYPES[type.ggufId()] = type;
    }
  }

  final long[] ne = new long[4];
  final long[] nb = new long[4];
  long data;
  DataType type = DataType.F32;

  void load(long at) {
    data = Memory.ALL.get(ValueLayout.JAVA_LONG, at + StepLayout.DATA);
    for (int axis = 0; axis < 4; axis++) {
      ne[axis] = Memory.ALL.get(ValueLayout.JAVA_LONG, at + StepLayout.NE + 8L * axis);
      nb[axis] = Memory.ALL.get(ValueLayout.JAVA_LONG, at + StepLayout.NB + 8L * axis);
    }
    type = TYPES[Memory.ALL.get(ValueLayout.JAVA_INT, at + StepLayout.TYPE)];
  }

  long rows() {
    return ne[1] * ne[2] * ne[3];
  }

  /** Address of row number {@code row}, counted through axes 1 to 3 of this tensor's shape. */
  long row(long row) {
    return at(row % ne[1], row / ne[1] % ne[2], row / ne[1] / ne[2]);
  }

  /**
   * Address of the row that row {@code row} of a larger {@code shape} meets when this is repeated.
   */
  long repeatedRow(long row, PortableTensor shape) {
    return at(
        row % shape.ne[1] % ne[1],
        row / shape.ne[1] % shape.ne[2] % ne[2],
        row / shape.ne[1] / shape.ne[2] % ne[3]);
  }

  long at(long i1, long i2, long i3) {
    return data + i1 * nb[1] + i2 * nb[2] + i3 * nb[3];
  }

  int intAt(long i0, long i1) {
    return Memory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, data + i0 * nb[0] + i1 * nb[1]);
  }

  /** Decodes {@code count} elements from an address on to floats at {@code to}. */
  void decode(long from, long to, long count) {
    if (nb[0] == type.blockBytes()) {
      long vectors = type == DataType.F16 && Vectors.PRESENT ? count / Vectors.LANES : 0;
      long done = vectors * Vectors.LANES;
      if (vectors > 0) {
        Lanes.halves(from, Lanes.UNIT, vectors, to);
      }
      if (done < count) {
        long bytes = type.bytes(done);
        Codec.of(type).decode(Memory.ALL, from + bytes, Memory.ALL, to + 4 * done, count - done);
      }
      return;
    }
    for (long j = 0; j < count; j++) {
      Codec.of(type).decode(Memory.ALL, from + j * nb[0], Memory.ALL, to + 4 * j, 1);
    }
  }

  /** Address of a row's elements as consecutive floats: its own, or {@code room} with a copy. */
  long floats(long row, long room) {
    if (type == DataType.F32 && nb[0] == 4) {
      return row;
    }
    decode(row, room, ne[0]);
    return room;
  }
}
