// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import java.lang.foreign.ValueLayout;

/** Matrix products: rows of weights decoded once, then one dot product for each column. */
final class PortableProducts {
  private final PortableWorker worker;
  private final PortablePacked packed;

  PortableProducts(PortableWorker worker) {
    this.worker = worker;
    this.packed = new PortablePacked(worker);
  }

  void activations(long item) {
    packed.activations(item);
  }

  /** Panels of one matrix, or the rows that fill none. */
  void packed(long item) {
    if (packed.isOfPanels(item)) {
      packed.panels(item);
    } else {
      long first = packed.panels() * Vectors.LANES;
      PortableTensor w = worker.sources[0];
      rows(first, w.ne[1], w.data, worker.sources[1].data, worker.result.data);
    }
  }

  /** Row blocks of every batch. */
  void dot(long item) {
    PortableTensor w = worker.sources[0];
    PortableTensor x = worker.sources[1];
    PortableTensor y = worker.result;
    long block = worker.a(0);
    long blocks = (w.ne[1] + block - 1) / block;
    long batch = item / blocks;
    long i2 = batch % x.ne[2];
    long i3 = batch / x.ne[2];
    long matrix = w.at(0, i2 / (x.ne[2] / w.ne[2]), i3 / (x.ne[3] / w.ne[3]));
    rows(item % blocks * block, block, matrix, x.at(0, i2, i3), y.at(0, i2, i3));
  }

  /** Row blocks of one matrix; the activations are read where they are. */
  void tiles(long item) {
    PortableTensor w = worker.sources[0];
    rows(item * worker.a(0), worker.a(0), w.data, worker.sources[1].data, worker.result.data);
  }

  private void rows(long first, long count, long matrix, long x, long y) {
    PortableTensor w = worker.sources[0];
    long k = w.ne[0];
    long end = Math.min(first + count, w.ne[1]);
    for (long row = first; row < end; row++) {
      long floats = decoded(matrix + row * w.nb[1], k);
      for (long c = 0; c < worker.sources[1].ne[1]; c++) {
        float sum = Vectors.dot(floats, x + c * worker.sources[1].nb[1], k, worker.spill);
        Vectors.set(y + 4 * row + c * worker.result.nb[1], sum);
      }
    }
  }

  private long decoded(long row, long k) {
    PortableTensor w = worker.sources[0];
    if (w.type == DataType.F32) {
      return row;
    }
    w.decode(row, worker.room, k);
    return worker.room;
  }

  // What group() leaves: the number of experts in use, the number of experts, the experts in use,
  // where each expert's pairs start (one more than experts), the pairs; all of 32 bits.

  static int intAt(long groups, long index) {
    return Memory.ALL.get(ValueLayout.JAVA_INT, groups + 4 * index);
  }

  private static void put(long groups, long index, int value) {
    Memory.ALL.set(ValueLayout.JAVA_INT, groups + 4 * index, value);
  }

  void group() {
    PortableTensor ids = worker.sources[0];
    PortableTensor y = worker.result;
    long groups = worker.a(1);
    int experts = (int) worker.a(2);
    long starts = 2 + experts;
    long pairs = starts + experts + 1;
    put(groups, 1, experts);
    int active = 0;
    int next = 0;
    for (int expert = 0; expert < experts; expert++) {
      put(groups, starts + expert, next);
      for (int pair = 0; pair < ids.ne[0] * ids.ne[1]; pair++) {
        if (ids.intAt(pair % ids.ne[0], pair / ids.ne[0]) == expert) {
          put(groups, pairs + next++, pair);
        }
      }
      if (next > intAt(groups, starts + expert)) {
        put(groups, 2 + active++, expert);
      }
    }
    put(groups, starts + experts, next);
    put(groups, 0, active);
    for (long pair = 0; pair < ids.ne[0] * ids.ne[1]; pair++) {
      int id = ids.intAt(pair % ids.ne[0], pair / ids.ne[0]);
      if (id < 0 || id >= experts) {
        long row = y.at(pair % ids.ne[0], pair / ids.ne[0], 0);
        Memory.ALL.asSlice(row, 4 * y.ne[0]).fill((byte) 0);
      }
    }
  }

  long itemsById() {
    return intAt(worker.a(2), 0) * blocksById();
  }

  private long blocksById() {
    long m = worker.sources[0].ne[1];
    long each = worker.a(0);
    if (worker.i(0) == 0) {
      return (m + each - 1) / each;
    }
    return (packed.panels() + each - 1) / each + (m % Vectors.LANES == 0 ? 0 : 1);
  }

  void byId(long item) {
    PortableTensor w = worker.sources[0];
    long groups = worker.a(2);
    long blocks = blocksById();
    int expert = intAt(groups, 2 + item / blocks);
    long starts = 2 + w.ne[2];
    long pairs = starts + w.ne[2] + 1;
    long block = item % blocks;
    if (worker.i(0) == 0) {
      long first = block * worker.a(0);
      rowsById(expert, first, Math.min(first + worker.a(0), w.ne[1]), starts, pairs);
    } else if (packed.isOfPanels(block)) {
      int from = intAt(groups, starts + expert);
      int count = intAt(groups, starts + expert + 1) - from;
      packed.panelsById(block, w.at(0, expert, 0), groups + 4 * (pairs + from), count);
    } else {
      rowsById(expert, packed.panels() * Vectors.LANES, w.ne[1], starts, pairs);
    }
  }

  private void rowsById(int expert, long first, long end, long starts, long pairs) {
    PortableTensor w = worker.sources[0];
    PortableTensor x = worker.sources[1];
    PortableTensor y = worker.result;
    long used = worker.sources[2].ne[0];
    long groups = worker.a(2);
    for (long row = first; row < end; row++) {
      long floats = decoded(w.at(row, expert, 0), w.ne[0]);
      for (int p = intAt(groups, starts + expert); p < intAt(groups, starts + expert + 1); p++) {
        int pair = intAt(groups, pairs + p);
        long column = x.at(x.ne[1] == 1 ? 0 : pair % used, pair / used, 0);
        Vectors.set(
            y.at(pair % used, pair / used, 0) + 4 * row,
            Vectors.dot(floats, column, w.ne[0], worker.spill));
      }
    }
  }
}
