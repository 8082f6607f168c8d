// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;
import java.util.EnumSet;
import java.util.Set;

/**
 * What the kernels in Java pack: panels of as many rows as a vector has lanes, in units of two
 * bytes, unit by unit. Of use where the Vector API is.
 */
record PortablePacking() implements Packing {
  /** Columns that are multiplied together. */
  static final int TILE_COLUMNS = 6;

  /** Panels that are multiplied together. */
  static final int TILE_PANELS = 2;

  /** So many elements of each row are unpacked at a time. */
  static final int TILE_ELEMENTS = 1024;

  /** Elements of an activation that are summed, for weights with an offset. */
  static final int SUMMED = 16;

  private static final Set<DataType> TYPES =
      EnumSet.of(
          DataType.Q4_0, DataType.Q8_0, DataType.Q4_K, DataType.Q6_K, DataType.F16, DataType.BF16);

  private static final int BLOCK_VECTORS = 32;

  @Override
  public boolean canHold(Tensor tensor) {
    return TYPES.contains(tensor.type())
        && tensor.ne(0) % SUMMED == 0
        && tensor.isContiguous()
        && tensor.base().isEmpty();
  }

  @Override
  public int rows() {
    return Vectors.LANES;
  }

  @Override
  public StepCode activations(DataType weights) {
    return StepCode.ACTIVATIONS;
  }

  /** Few columns: the sums of each. Many: tiles, the last one filled up. */
  @Override
  public long activationBytes(DataType weights, long k, long columns) {
    return 4 * (padded(columns) * k + columns * (k / SUMMED));
  }

  @Override
  public long roomBytes(DataType weights, long k, long columns, int panels) {
    return Math.max(4 * k, tileRoom(columns));
  }

  @Override
  public long roomBytesById(DataType weights, long k, int panels) {
    return roomBytes(weights, k, TILE_COLUMNS, panels) + 4 * TILE_COLUMNS * k;
  }

  static long padded(long columns) {
    return (columns + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
  }

  /** Bytes of what unpacking takes, of a tile of weights, and of sums. */
  static long tileRoom(long columns) {
    return scratchBytes() + 4 * TILE_PANELS * (TILE_ELEMENTS + padded(columns)) * Vectors.LANES;
  }

  /** Bytes that unpacking takes: scales and offsets of a block. */
  static long scratchBytes() {
    return 4L * BLOCK_VECTORS * Vectors.LANES;
  }
}
