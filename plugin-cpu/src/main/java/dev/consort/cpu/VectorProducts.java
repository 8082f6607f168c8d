// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/**
 * Products with packed weights: few columns read a panel as it lies, many have two panels unpacked
 * to floats, some of their elements at a time. Only touched where the Vector API is.
 */
final class VectorProducts {
  private static final Map<DataType, VectorPanel> PANELS =
      new EnumMap<>(
          Map.of(
              DataType.Q4_0, new VectorQ4(),
              DataType.Q8_0, new VectorQ8(),
              DataType.Q4_K, new VectorQ4K(),
              DataType.Q6_K, new VectorQ6K(),
              DataType.F16, new VectorHalf(),
              DataType.BF16, new VectorBrain()));

  private static final int COLUMNS = PortablePacking.TILE_COLUMNS;
  private static final long TILE_BYTES = 2L * PortablePacking.TILE_ELEMENTS * Lanes.VECTOR;

  /** Bytes of the sums of one column. */
  private static final long SUMS = 2 * Lanes.VECTOR;

  private VectorProducts() {}

  /**
   * What a column becomes: few columns, the sums of each sixteen elements; many, its place in a
   * tile, element by element, columns beside each other.
   *
   * @param columns of how many it is one
   */
  static void activations(long x, long k, long column, long columns, long to) {
    if (columns <= Packing.FEW_COLUMNS) {
      sums(x, k, to + column * (k / PortablePacking.SUMMED) * 4);
      return;
    }
    gather(x, k, to + column / COLUMNS * COLUMNS * k * 4, column % COLUMNS);
  }

  /** Puts a column in its place of a tile. */
  static void gather(long x, long k, long tile, long place) {
    long to = tile + 4 * place;
    for (long j = 0; j < k; j++) {
      Vectors.set(to, Vectors.get(x + 4 * j));
      to += 4 * COLUMNS;
    }
  }

  static void sums(long x, long k, long to) {
    for (long group = 0; group < k / PortablePacking.SUMMED; group++) {
      float sum = 0;
      for (long j = 0; j < PortablePacking.SUMMED; j++) {
        sum += Vectors.get(x + 4 * (PortablePacking.SUMMED * group + j));
      }
      Vectors.set(to + 4 * group, sum);
    }
  }

  /** One panel times one column. */
  static void few(DataType type, long panel, long k, long x, long sums, long y, long room) {
    VectorPanel kernel = PANELS.get(type);
    kernel.multiply(panel, k / kernel.blockElements(), x, sums, y, room);
  }

  /**
   * One or two panels times columns in tiles; what they give is left behind each other, two vectors
   * a column, at the returned address.
   *
   * @param panelBytes from one panel to the next
   */
  static long many(
      DataType type,
      long panel,
      long panelBytes,
      int panels,
      long k,
      long x,
      long columns,
      long room) {
    long tile = room + PortablePacking.scratchBytes();
    long sums = tile + TILE_BYTES;
    long tiles = (columns + COLUMNS - 1) / COLUMNS;
    Memory.ALL.asSlice(sums, tiles * COLUMNS * SUMS).fill((byte) 0);
    VectorPanel kernel = PANELS.get(type);
    long rowElements = kernel.blockElements();
    long blockBytes = panelBytes / (k / rowElements);
    for (long first = 0; first < k; first += PortablePacking.TILE_ELEMENTS) {
      long count = Math.min(PortablePacking.TILE_ELEMENTS, k - first);
      for (int p = 0; p < panels; p++) {
        long blocks = panel + p * panelBytes + first / rowElements * blockBytes;
        kernel.open(blocks, count / rowElements, tile + p * Lanes.VECTOR, room);
      }
      for (long t = 0; t < tiles; t++) {
        long columnsAt = x + (t * k + first) * COLUMNS * 4;
        VectorTile.multiply(tile, columnsAt, count, sums + t * COLUMNS * SUMS);
      }
    }
    return sums;
  }

  /** Copies a column's results of so many panels. */
  static void results(long sums, long column, int panels, long y) {
    MemorySegment.copy(Memory.ALL, sums + column * SUMS, Memory.ALL, y, panels * Lanes.VECTOR);
  }
}
