// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

/** Products with packed weights, panel by panel. */
final class PortablePacked {
  private static final int COLUMNS = PortablePacking.TILE_COLUMNS;

  private final PortableWorker worker;

  PortablePacked(PortableWorker worker) {
    this.worker = worker;
  }

  /** Makes a column ready; each by itself if {@code a(2)} says so. */
  void activations(long item) {
    PortableTensor x = worker.sources[0];
    long columns = worker.a(2) == 0 ? x.rows() : 1;
    long row = x.floats(x.row(item), worker.room);
    VectorProducts.activations(row, x.ne[0], item, columns, worker.a(1));
  }

  /** Whether an item is of panels, rather than of the rows that fill none. */
  boolean isOfPanels(long item) {
    return item * worker.a(0) < panels();
  }

  long panels() {
    return worker.sources[0].ne[1] / Vectors.LANES;
  }

  private int count(long first) {
    return (int) Math.min(worker.a(0), panels() - first);
  }

  /** Panels of one matrix times all columns. */
  void panels(long item) {
    PortableTensor w = worker.sources[0];
    PortableTensor x = worker.sources[1];
    PortableTensor y = worker.result;
    long k = w.ne[0];
    long first = item * worker.a(0);
    int count = count(first);
    long panelBytes = w.nb[1] * Vectors.LANES;
    long panel = w.data + first * panelBytes;
    long to = y.data + 4 * Vectors.LANES * first;
    long columns = x.ne[1];
    if (columns <= Packing.FEW_COLUMNS) {
      for (long c = 0; c < columns; c++) {
        few(panel, count, x.data + c * x.nb[1], c, to + c * y.nb[1]);
      }
      return;
    }
    long sums =
        VectorProducts.many(w.type, panel, panelBytes, count, k, worker.a(1), columns, worker.room);
    for (long c = 0; c < columns; c++) {
      VectorProducts.results(sums, c, count, to + c * y.nb[1]);
    }
  }

  private void few(long panel, int count, long x, long column, long to) {
    PortableTensor w = worker.sources[0];
    long k = w.ne[0];
    long sums = worker.a(1) + column * (k / PortablePacking.SUMMED) * 4;
    for (int p = 0; p < count; p++) {
      long at = panel + p * w.nb[1] * Vectors.LANES;
      long y = to + 4L * Vectors.LANES * p;
      VectorProducts.few(w.type, at, k, x, sums, y, worker.room);
    }
  }

  /** Panels of one of several matrices times the columns of so many pairs. */
  void panelsById(long block, long matrix, long pairs, int count) {
    PortableTensor w = worker.sources[0];
    long first = block * worker.a(0);
    int panels = count(first);
    long panelBytes = w.nb[1] * Vectors.LANES;
    long panel = matrix + first * panelBytes;
    long to = 4 * Vectors.LANES * first;
    if (count <= Packing.FEW_COLUMNS) {
      for (int p = 0; p < count; p++) {
        int pair = pair(pairs, p);
        few(panel, panels, column(pair), columnNumber(pair), result(pair) + to);
      }
      return;
    }
    long gathered = worker.room + PortablePacking.tileRoom(COLUMNS);
    for (int from = 0; from < count; from += COLUMNS) {
      int now = Math.min(COLUMNS, count - from);
      for (int c = 0; c < now; c++) {
        VectorProducts.gather(column(pair(pairs, from + c)), w.ne[0], gathered, c);
      }
      long sums =
          VectorProducts.many(
              w.type, panel, panelBytes, panels, w.ne[0], gathered, now, worker.room);
      for (int c = 0; c < now; c++) {
        VectorProducts.results(sums, c, panels, result(pair(pairs, from + c)) + to);
      }
    }
  }

  private static int pair(long pairs, int index) {
    return PortableProducts.intAt(pairs, index);
  }

  private long columnNumber(int pair) {
    PortableTensor x = worker.sources[1];
    long used = worker.sources[2].ne[0];
    return x.ne[1] == 1 ? pair / used : pair;
  }

  private long column(int pair) {
    PortableTensor x = worker.sources[1];
    long used = worker.sources[2].ne[0];
    return x.at(x.ne[1] == 1 ? 0 : pair % used, pair / used, 0);
  }

  private long result(int pair) {
    long used = worker.sources[2].ne[0];
    return worker.result.at(pair % used, pair / used, 0);
  }
}
