// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Tensor;
import dev.consort.cuda.driver.TileMap;
import java.util.ArrayList;
import java.util.List;

/**
 * Products with many columns on tensor cores, in F16 or BF16. Quantised weights are decoded into
 * scratch memory first, a part at a time. Hopper's own instructions are used where the device has
 * them.
 */
final class TileKernels {
  private static final int TILE = 128;
  private static final int WIDE_TILE = 256;
  private static final int MOST_WEIGHTS = 4;

  /** Decoded weights are multiplied before more of them are decoded. */
  private static final long MOST_DECODED = 256L << 20;

  /** How much longer two tiles of 128 columns take than one of 256. */
  private static final double NARROW = 1.15;

  private static final int SPAN = 64;
  private static final int HOPPER_THREADS = 384;

  /** A ring of tiles, and room to align it. */
  private static final int HOPPER_SHARED = 192 * 1024 + 1024;

  private static final int THREADS = 256;

  /** Rows of a weight, as they are stored. */
  private record Rows(Tensor w, long address, long rows, long result, long step) {
    private long decodedBytes() {
      return w.type().isQuantized() ? 2 * rows * w.ne(0) : 0;
    }
  }

  private TileKernels() {}

  /** Bytes for decoded weights that the step needs. */
  static long decodedBytes(List<Tensor> nodes) {
    long bytes = 0;
    for (Tensor node : nodes) {
      boolean tiles = MatrixKernels.form(node).filter(form -> form != Form.QUANTS).isPresent();
      Tensor w = tiles ? node.source(0) : node;
      if (tiles && w.type().isQuantized()) {
        bytes += 2 * w.ne(0) * w.ne(1);
      }
    }
    return Math.min(bytes, MOST_DECODED);
  }

  /** Products of several weights with the same activations, which have the form. */
  static void emit(Work work, List<Tensor> nodes, Form form) {
    Tensor x = nodes.getFirst().source(1);
    long activations = work.form(x, form);
    long columns = x.ne(1);
    long k = x.ne(0);
    for (long i3 = 0; i3 < x.ne(3); i3++) {
      for (long i2 = 0; i2 < x.ne(2); i2++) {
        long batch = i3 * x.ne(2) + i2;
        List<Rows> all = new ArrayList<>();
        for (Tensor node : nodes) {
          Tensor w = node.source(0);
          long from = i2 / (x.ne(2) / w.ne(2)) * w.nb(2) + i3 / (x.ne(3) / w.ne(3)) * w.nb(3);
          long to = work.address(node) + 4 * batch * columns * w.ne(1);
          cut(w, work.address(w) + from, to, all);
        }
        long part = activations + 2 * batch * columns * k;
        long factors = activations + 2 * x.shape().elements() + 4 * batch * columns;
        new Emission(work, form, k, columns, part, factors).add(all);
      }
    }
  }

  private static void cut(Tensor w, long from, long to, List<Rows> all) {
    long most = w.type().isQuantized() ? MOST_DECODED / (2 * w.ne(0)) / TILE * TILE : w.ne(1);
    most = Math.max(TILE, most);
    for (long row = 0; row < w.ne(1); row += most) {
      long rows = Math.min(most, w.ne(1) - row);
      all.add(new Rows(w, from + row * w.nb(1), rows, to + 4 * row, w.ne(1)));
    }
  }

  /** The launches for one matrix of activations. */
  private record Emission(
      Work work, Form form, long k, long columns, long activations, long factors) {

    private void add(List<Rows> all) {
      List<Rows> together = new ArrayList<>();
      long bytes = 0;
      for (Rows rows : all) {
        if (together.size() == MOST_WEIGHTS || bytes + rows.decodedBytes() > MOST_DECODED) {
          multiply(together);
          together.clear();
          bytes = 0;
        }
        together.add(rows);
        bytes += rows.decodedBytes();
      }
      multiply(together);
    }

    private void multiply(List<Rows> together) {
      if (together.isEmpty()) {
        return;
      }
      List<Long> places = new ArrayList<>();
      List<Long> rowBytes = new ArrayList<>();
      long free = work.decoded();
      for (Rows rows : together) {
        if (rows.w.type().isQuantized()) {
          decode(rows, free);
          places.add(free);
          rowBytes.add(2 * k);
          free += rows.decodedBytes();
        } else {
          places.add(rows.address);
          rowBytes.add(rows.w.nb(1));
        }
      }
      String type = form == Form.BRAINS ? "bf16" : "f16";
      if (work.modules().isHopper() && k >= SPAN) {
        hopper(together, places, rowBytes, type);
        return;
      }
      var arguments = new Arguments();
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.word(i < places.size() ? places.get(i) : 0);
      }
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.word(i < places.size() ? rowBytes.get(i) : 0);
      }
      long tiles = results(arguments, together);
      arguments.align(Long.BYTES).word(activations);
      work.grid("matrix", "mat_mul_" + type, arguments, THREADS, tiles(columns, TILE), tiles, 1);
    }

    private void decode(Rows rows, long to) {
      long groups = k / 8;
      var arguments =
          new Arguments()
              .word(rows.address)
              .word(to)
              .word(rows.w.nb(1))
              .word(rows.rows * groups)
              .integer(groups);
      String kernel = "decode_" + rows.w.type().label();
      work.each("matrix", kernel, arguments, rows.rows * groups);
    }

    private void hopper(List<Rows> together, List<Long> places, List<Long> rowBytes, String type) {
      long tilesM = together.stream().mapToLong(rows -> tiles(rows.rows, TILE)).sum();
      long processors = work.processors();
      double wide = 2.0 * tiles(tilesM * tiles(columns, WIDE_TILE), processors);
      double narrow = NARROW * tiles(tilesM * tiles(columns, TILE), processors);
      int tile = wide <= narrow ? WIDE_TILE : TILE;
      var arguments = new Arguments();
      var element = form == Form.BRAINS ? TileMap.Element.BF16 : TileMap.Element.F16;
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        int at = Math.min(i, places.size() - 1);
        long rows = together.get(at).rows;
        var map = new TileMap(element, places.get(at), k, rows, rowBytes.get(at), SPAN, TILE);
        arguments.bytes(map.encode());
      }
      arguments.bytes(new TileMap(element, activations, k, columns, 2 * k, SPAN, tile).encode());
      results(arguments, together);
      long tilesN = tiles(columns, tile);
      arguments.align(Long.BYTES).integer(tilesM).integer(tilesN).align(64);
      long blocks = Math.min(processors, tilesM * tilesN);
      String kernel = "mapped_" + tile + "_" + type;
      work.grid("hopper", kernel, arguments, HOPPER_THREADS, HOPPER_SHARED, blocks, 1, 1);
    }

    /** {@code TileResults} of tiles.cuh; returns the tiles of rows. */
    private long results(Arguments arguments, List<Rows> together) {
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.word(i < together.size() ? together.get(i).result : 0);
      }
      arguments.word(factors);
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.integer(i < together.size() ? together.get(i).rows : 0);
      }
      long tiles = 0;
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.integer(tiles);
        tiles += i < together.size() ? tiles(together.get(i).rows, TILE) : 0;
      }
      for (int i = 0; i < MOST_WEIGHTS; i++) {
        arguments.word(i < together.size() ? together.get(i).step : 0);
      }
      arguments.integer(together.size()).integer(columns).integer(k);
      return tiles;
    }
  }

  private static long tiles(long extent, long tile) {
    return (extent + tile - 1) / tile;
  }
}
