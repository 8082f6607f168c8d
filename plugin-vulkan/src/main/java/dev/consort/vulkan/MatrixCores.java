// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Strides;
import dev.consort.api.Tensor;
import java.util.List;

/**
 * Products of many columns on matrix cores (VK_KHR_cooperative_matrix). Weights are decoded to F16
 * in scratch memory, unless they are F16, and columns are scaled and rounded to it; sums are F32.
 */
final class MatrixCores {
  /** With fewer columns, decoding weights costs more than it saves. */
  private static final int FEWEST_COLUMNS = 64;

  private static final int TILE = 128;
  private static final int THREADS = 256;

  /** So many values of weights are decoded at a time. */
  private static final long MOST_DECODED = 1L << 26;

  private MatrixCores() {}

  /** Whether the node is a product for these kernels; its weight is whole runs of 16 values. */
  static boolean take(Tensor node, Tuning tuning) {
    Tensor w = node.source(0);
    // F32 and BF16 weights, and MXFP4's scales, would lose range or precision in F16.
    boolean fits = w.type() == DataType.F16 || w.type().isQuantized();
    return tuning.matrixCores()
        && fits
        && w.type() != DataType.MXFP4
        && node.sources().size() == 2
        && node.ne(1) >= FEWEST_COLUMNS
        && node.ne(2) * node.ne(3) == 1
        && w.ne(2) * w.ne(3) == 1;
  }

  static long scratchBytes(Tensor node) {
    Tensor w = node.source(0);
    long decoded = w.type() == DataType.F16 ? 0 : 2 * Math.min(w.ne(0) * w.ne(1), MOST_DECODED);
    return columnBytes(node) + scaleBytes(node) + decoded;
  }

  private static long columnBytes(Tensor node) {
    return MatMulKernels.round(2 * node.source(0).ne(0) * node.ne(1));
  }

  private static long scaleBytes(Tensor node) {
    return MatMulKernels.round(4 * node.ne(1));
  }

  /**
   * Adds the dispatches.
   *
   * @param used bytes at the start of the scratch memory that belong to {@code x}
   */
  static void emit(Work work, Tensor node, Place x, Strides strides, long used) {
    Tensor w = node.source(0);
    long scratch = work.scratch(used + scratchBytes(node)).address() + used;
    Place columns = new Place(scratch, columnBytes(node));
    Place scales = new Place(columns.address() + columns.bytes(), scaleBytes(node));
    long decoded = scales.address() + scales.bytes();
    work.groups(
        "columnhalves",
        new int[] {work.tuning().row()},
        new Push()
            .address(x.address())
            .address(columns.address())
            .address(scales.address())
            .u32(node.ne(1), w.ne(0) / 4, strides.nb1() / 4),
        node.ne(1),
        List.of(x),
        columns,
        scales);
    Place weights = work.place(w);
    if (w.type() == DataType.F16) {
      multiply(work, node, weights, w.nb(1), 0, w.ne(1), columns, scales);
      return;
    }
    long most = Math.max(TILE, MOST_DECODED / w.ne(0) / TILE * TILE);
    for (long row = 0; row < w.ne(1); row += most) {
      long rows = Math.min(most, w.ne(1) - row);
      Place halves = new Place(decoded, 2 * rows * w.ne(0));
      work.each(
          "weighthalves-" + w.type().label(),
          new int[] {work.tuning().flat()},
          new Push()
              .address(weights.address() + row * w.nb(1))
              .address(halves.address())
              .u32(rows, w.ne(0) / 8, w.nb(1)),
          rows * w.ne(0) / 8,
          List.of(weights),
          halves);
      multiply(work, node, halves, 2 * w.ne(0), row, rows, columns, scales);
    }
  }

  private static void multiply(
      Work work,
      Tensor node,
      Place halves,
      long step,
      long firstRow,
      long rows,
      Place columns,
      Place scales) {
    Place y = work.place(node);
    work.grid(
        "matmulhalves",
        new int[] {THREADS},
        new Push()
            .address(halves.address())
            .address(columns.address())
            .address(y.address() + 4 * firstRow)
            .address(scales.address())
            .u32(rows, node.ne(1), node.source(0).ne(0) / 8, step, node.ne(0)),
        (node.ne(1) + TILE - 1) / TILE,
        (rows + TILE - 1) / TILE,
        1,
        List.of(halves, columns, scales),
        y);
  }
}
