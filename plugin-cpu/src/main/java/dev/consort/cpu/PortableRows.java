// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Operations on whole rows: look-ups, norms, softmax, sums, rotation, the largest. */
final class PortableRows {
  private final PortableWorker worker;

  PortableRows(PortableWorker worker) {
    this.worker = worker;
  }

  void getRow(long row) {
    PortableTensor y = worker.result;
    PortableTensor table = worker.sources[0];
    long i1 = row % y.ne[1];
    long i2 = row / y.ne[1];
    int id = worker.sources[1].intAt(i1, i2);
    long to = y.row(row);
    if (id < 0 || id >= table.ne[1]) {
      Memory.ALL.asSlice(to, 4 * y.ne[0]).fill((byte) 0);
    } else {
      table.decode(table.at(id, i2, 0), to, y.ne[0]);
    }
  }

  void setRows(long item) {
    PortableTensor state = worker.result;
    PortableTensor x = worker.sources[0];
    int axis = worker.i(0);
    long end = Math.min((item + 1) * worker.a(0), x.rows());
    for (long row = item * worker.a(0); row < end; row++) {
      long i1 = row % x.ne[1];
      long i2 = row / x.ne[1] % x.ne[2];
      long i3 = row / x.ne[1] / x.ne[2];
      int id = worker.sources[1].intAt(axis == 1 ? i1 : axis == 2 ? i2 : i3, 0);
      if (id >= 0 && id < state.ne[axis]) {
        long to = state.at(axis == 1 ? id : i1, axis == 2 ? id : i2, axis == 3 ? id : i3);
        long floats = x.floats(x.row(row), worker.room);
        PortableWorker.encode(state.type, floats, to, x.ne[0]);
      }
    }
  }

  void norm(long row) {
    PortableTensor y = worker.result;
    long n = y.ne[0];
    long x = worker.sources[0].floats(worker.sources[0].row(row), worker.room);
    long to = y.row(row);
    float factor = (float) (1 / Math.sqrt(Vectors.dot(x, x, n, worker.spill) / n + worker.f(0)));
    if (worker.i(0) == 0) {
      Vectors.scale(to, factor, x, n);
      return;
    }
    long weights = worker.sources[1].repeatedRow(row, y);
    for (long j = 0; j < n; j++) {
      Vectors.set(to + 4 * j, Vectors.get(x + 4 * j) * factor * Vectors.get(weights + 4 * j));
    }
  }

  void softMax(long row) {
    long n = worker.result.ne[0];
    long x = worker.sources[0].floats(worker.sources[0].row(row), worker.room);
    long to = worker.result.row(row);
    float max = Float.NEGATIVE_INFINITY;
    for (long j = 0; j < n; j++) {
      max = Math.max(max, Vectors.get(x + 4 * j));
    }
    double sum = 0;
    for (long j = 0; j < n; j++) {
      float e = (float) Math.exp(Vectors.get(x + 4 * j) - max);
      sum += e;
      Vectors.set(to + 4 * j, e);
    }
    Vectors.scale(to, (float) (1 / sum), to, n);
  }

  void sum(long row) {
    PortableTensor x = worker.sources[0];
    PortableTensor y = worker.result;
    int axis = worker.i(0);
    long to = y.row(row);
    long i1 = row % y.ne[1];
    long i2 = row / y.ne[1] % y.ne[2];
    long i3 = row / y.ne[1] / y.ne[2];
    if (axis == 0) {
      long from = x.floats(x.at(i1, i2, i3), worker.room);
      double total = 0;
      for (long j = 0; j < x.ne[0]; j++) {
        total += Vectors.get(from + 4 * j);
      }
      Vectors.set(to, (float) total);
      return;
    }
    Memory.ALL.asSlice(to, 4 * y.ne[0]).fill((byte) 0);
    for (long k = 0; k < x.ne[axis]; k++) {
      long from = x.at(axis == 1 ? k : i1, axis == 2 ? k : i2, axis == 3 ? k : i3);
      Vectors.addScaled(to, 1, x.floats(from, worker.room), y.ne[0]);
    }
  }

  /** Descending, the lower index first among equals; NaN is below everything. */
  void topK(long item) {
    PortableTensor x = worker.sources[0];
    PortableTensor y = worker.result;
    long to = y.data + item * y.nb[1];
    int k = (int) y.ne[0];
    if (worker.i(0) != 0 && worker.sources[1].intAt(1, item) == 0) {
      for (int j = 0; j < k; j++) {
        put(to, j, -1);
      }
      return;
    }
    long row = x.floats(x.at(item, 0, 0), worker.room);
    int found = 0;
    for (int j = 0; j < x.ne[0]; j++) {
      float v = Vectors.get(row + 4L * j);
      int place = found;
      while (place > 0 && isBefore(v, Vectors.get(row + 4L * index(to, place - 1)))) {
        place--;
      }
      if (place < k) {
        found = Math.min(k, found + 1);
        for (int q = found - 1; q > place; q--) {
          put(to, q, index(to, q - 1));
        }
        put(to, place, j);
      }
    }
  }

  private static boolean isBefore(float v, float other) {
    return v > other || Float.isNaN(other) && !Float.isNaN(v);
  }

  private static int index(long to, int place) {
    return Memory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, to + 4L * place);
  }

  private static void put(long to, int place, int index) {
    Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, to + 4L * place, index);
  }

  /** One token; see rope.h. */
  void rope(long item) {
    PortableTensor x = worker.sources[0];
    int dims = worker.i(1);
    int half = dims / 2;
    long cosines = worker.room;
    long sines = worker.room + 4L * half;
    angles(worker.sources[1].intAt(item, 0), dims, cosines, sines);
    long gathered = worker.room + 4L * dims;
    boolean neox = worker.i(0) == 1;
    for (long h = 0; h < x.ne[1]; h++) {
      long from = x.floats(x.at(h, item % x.ne[2], item / x.ne[2]), gathered);
      long to = worker.result.at(h, item % x.ne[2], item / x.ne[2]);
      for (int j = 0; j < half; j++) {
        long first = 4L * (neox ? j : 2 * j);
        long second = 4L * (neox ? j + half : 2 * j + 1);
        float a = Vectors.get(from + first);
        float b = Vectors.get(from + second);
        float cos = Vectors.get(cosines + 4L * j);
        float sin = Vectors.get(sines + 4L * j);
        Vectors.set(to + first, a * cos - b * sin);
        Vectors.set(to + second, a * sin + b * cos);
      }
      MemorySegment.copy(
          Memory.ALL, from + 4L * dims, Memory.ALL, to + 4L * dims, 4 * (x.ne[0] - dims));
    }
  }

  private void angles(int position, int dims, long cosines, long sines) {
    double base = worker.f(0);
    double scale = worker.f(1);
    double ext = worker.f(2);
    double low = ext == 0 ? 0 : Math.max(0, Math.floor(correction(dims, worker.f(4))));
    double high = ext == 0 ? 0 : Math.min(dims - 1, Math.ceil(correction(dims, worker.f(5))));
    double magnitude = worker.f(3) * (ext == 0 ? 1 : 1 + 0.1 * Math.log(1 / scale));
    for (int j = 0; j < dims / 2; j++) {
      double factor = worker.i(2) == 0 ? 1 : Vectors.get(worker.sources[2].data + 4L * j);
      double far = position * Math.pow(base, -2.0 * j / dims) / factor;
      double theta = scale * far;
      if (ext != 0) {
        double ramp = 1 - Math.clamp((j - low) / Math.max(0.001, high - low), 0.0, 1.0);
        theta = theta * (1 - ramp * ext) + far * ramp * ext;
      }
      Vectors.set(cosines + 4L * j, (float) (Math.cos(theta) * magnitude));
      Vectors.set(sines + 4L * j, (float) (Math.sin(theta) * magnitude));
    }
  }

  /** The dimension that turns {@code beta} times over the original context (Peng et al., 2023). */
  private double correction(int dims, float beta) {
    return dims * Math.log(worker.i(3) / (beta * 2 * Math.PI)) / (2 * Math.log(worker.f(0)));
  }
}
