// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One thread of the portable path: reads a step as {@code kernels.c} does and computes its items.
 * Holds no state between steps but memory that it uses again.
 */
final class PortableWorker {
  private static final StepCode[] CODES = new StepCode[StepCode.values().length + 1];
  private static final Operation.Unary.Kind[] UNARY = Operation.Unary.Kind.values();
  private static final Operation.Glu.Kind[] GLU = Operation.Glu.Kind.values();
  private static final Operation.Binary.Kind[] BINARY = Operation.Binary.Kind.values();

  static {
    for (StepCode code : StepCode.values()) {
      CODES[code.number()] = code;
    }
  }

  final PortableTensor result = new PortableTensor();
  final PortableTensor[] sources = new PortableTensor[StepLayout.SOURCES];
  private final PortableProducts products = new PortableProducts(this);
  private final PortableAttention attention = new PortableAttention(this);
  private final PortableRows rows = new PortableRows(this);
  private final MemorySegment spillMemory = Arena.ofAuto().allocate(Vectors.SPILL_BYTES, 64);
  private final float[] f = new float[StepLayout.F_COUNT];
  private final int[] i = new int[StepLayout.I_COUNT];
  private final long[] a = new long[StepLayout.A_COUNT];
  private StepCode code = StepCode.QUANT32;
  final long spill = spillMemory.address();
  long room;

  PortableWorker() {
    for (int s = 0; s < sources.length; s++) {
      sources[s] = new PortableTensor();
    }
  }

  float f(int index) {
    return f[index];
  }

  int i(int index) {
    return i[index];
  }

  long a(int index) {
    return a[index];
  }

  /** Reads a step and returns how many items it has. */
  long load(long step, long roomOfThread) {
    MemorySegment all = Memory.ALL;
    room = roomOfThread;
    code = CODES[all.get(ValueLayout.JAVA_INT, step + StepLayout.CODE)];
    result.load(step + StepLayout.DST);
    for (int s = 0; s < sources.length; s++) {
      sources[s].load(step + StepLayout.SRC + (long) s * StepLayout.TENSOR_BYTES);
    }
    MemorySegment.copy(all, ValueLayout.JAVA_LONG, step + StepLayout.A, a, 0, a.length);
    MemorySegment.copy(all, ValueLayout.JAVA_FLOAT, step + StepLayout.F, f, 0, f.length);
    MemorySegment.copy(all, ValueLayout.JAVA_INT, step + StepLayout.I, i, 0, i.length);
    long items = all.get(ValueLayout.JAVA_LONG, step + StepLayout.ITEMS);
    return items >= 0 ? items : products.itemsById();
  }

  void item(long item) {
    switch (code) {
      case TILES -> {}
      case ACTIVATIONS -> products.activations(item);
      case MATMUL_PACKED -> products.packed(item);
      case MATMUL_DOT -> products.dot(item);
      case MATMUL_TILES -> products.tiles(item);
      case GROUP -> products.group();
      case MATMUL_ID -> products.byId(item);
      case ATTENTION -> attention.tile(item);
      case ATTENTION_JOIN -> attention.join(item);
      case TOP_K -> rows.topK(item);
      case ROPE -> rows.rope(item);
      case SET_ROWS -> rows.setRows(item);
      case REDUCE -> reduce(item);
      case MOVE -> move(item);
      default -> rowsOf(item);
    }
  }

  private void rowsOf(long item) {
    long end = Math.min((item + 1) * a[0], result.rows());
    for (long row = item * a[0]; row < end; row++) {
      switch (code) {
        case GET_ROWS -> rows.getRow(row);
        case BINARY -> binary(row);
        case SOFT_MAX -> rows.softMax(row);
        case SUM -> rows.sum(row);
        case RMS_NORM -> rows.norm(row);
        case COPY -> copy(row);
        default -> elements(row);
      }
    }
  }

  private void elements(long row) {
    long n = result.ne[0];
    long to = result.row(row);
    long x = sources[0].floats(sources[0].row(row), room);
    long up = code == StepCode.GLU ? sources[1].floats(sources[1].row(row), room + 4 * n) : 0;
    for (long j = 0; j < n; j++) {
      float v = Vectors.get(x + 4 * j);
      Vectors.set(
          to + 4 * j,
          switch (code) {
            case SCALE -> i[0] != 0 ? 0 : v * f[0] + f[1];
            case UNARY -> PortableMath.unary(UNARY[i[0]], v);
            case CLAMP -> Math.min(f[1], Math.max(f[0], v));
            case GLU -> PortableMath.glu(GLU[i[0]], v, Vectors.get(up + 4 * j), f[0], f[1]);
            default -> throw new IllegalStateException("no portable kernel for " + code);
          });
    }
  }

  private void binary(long row) {
    long n = result.ne[0];
    long to = result.row(row);
    PortableTensor other = sources[1];
    long x = sources[0].floats(sources[0].row(row), room);
    long y = other.floats(other.repeatedRow(row, result), room + 4 * n);
    long period = other.ne[0];
    Operation.Binary.Kind kind = BINARY[i[0]];
    for (long j = 0; j < n; j++) {
      float p = Vectors.get(x + 4 * j);
      float q = Vectors.get(y + 4 * (period == n ? j : j % period));
      Vectors.set(
          to + 4 * j,
          switch (kind) {
            case ADD -> p + q;
            case SUB -> p - q;
            case MUL -> p * q;
            case DIV -> p / q;
          });
    }
  }

  private void copy(long row) {
    long from = sources[0].row(row);
    long to = result.row(row);
    long n = result.ne[0];
    int bytes = result.type.blockBytes();
    if (sources[0].type == result.type) {
      for (long j = 0; j < n; j++) {
        long at = from + j * sources[0].nb[0];
        if (bytes == 2) {
          short value = Memory.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
          Memory.ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, to + 2 * j, value);
        } else {
          int value = Memory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at);
          Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, to + 4 * j, value);
        }
      }
      return;
    }
    long floats = sources[0].floats(from, room);
    Codec.of(result.type).encode(Memory.ALL, floats, Memory.ALL, to, n);
  }

  private void reduce(long item) {
    long first = item * a[3];
    long end = Math.min(first + a[3], a[2]);
    long n = a[1];
    for (long j = first; j < end; j++) {
      float sum = 0;
      for (long r = 0; r < n; r++) {
        float term = Vectors.get(Memory.ALL.get(ValueLayout.JAVA_LONG, a[0] + 8 * r) + 4 * j);
        term = i[0] == 0 ? term : PortableMath.roundToBf16(term);
        sum = r == 0 ? term : sum + term;
      }
      float made = Float.isNaN(sum) ? Float.NaN : sum;
      for (long r = n; r < n + a[4]; r++) {
        Vectors.set(Memory.ALL.get(ValueLayout.JAVA_LONG, a[0] + 8 * r) + 4 * j, made);
      }
    }
  }

  private void move(long item) {
    long first = item * a[3];
    long bytes = Math.min(a[3], a[2] - first);
    if (i[0] != 0) {
      DataType type = DataType.ofGguf(i[1]);
      var panels = new PortablePanels(type, a[0], a[4], a[5]);
      panels.set(a[6] + first, Memory.ALL, a[1] + first, bytes);
      return;
    }
    MemorySegment.copy(Memory.ALL, a[1] + first, Memory.ALL, a[0] + first, bytes);
  }

  /** Writes a row of floats in a state's type. */
  static void encode(DataType type, long floats, long to, long count) {
    Codec.of(type).encode(Memory.ALL, floats, Memory.ALL, to, count);
  }
}
