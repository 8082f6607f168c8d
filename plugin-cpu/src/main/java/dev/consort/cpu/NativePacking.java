// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;

/** What the kernels in C pack: quantised weights in panels of sixteen rows; see pack.c. */
record NativePacking() implements Packing {
  private static final int PANEL_ROWS = 16;
  private static final int GATHERED_COLUMNS = 24;
  private static final int SUM_FLOATS = 6 * 16;

  @Override
  public boolean canHold(Tensor tensor) {
    return tensor.type().isQuantized() && tensor.isContiguous() && tensor.base().isEmpty();
  }

  @Override
  public boolean goesOn() {
    return true;
  }

  @Override
  public int rows() {
    return PANEL_ROWS;
  }

  @Override
  public StepCode activations(DataType weights) {
    return weights.blockElements() == 256 ? StepCode.QUANT256 : StepCode.QUANT32;
  }

  /** Quantised columns; see quantize.h. */
  @Override
  public long activationBytes(DataType weights, long k, long columns) {
    return columns * (weights.blockElements() == 256 ? k / 256 * 340 : k / 32 * 40);
  }

  @Override
  public long roomBytes(DataType weights, long k, long columns, int panels) {
    long rest = 4L * PANEL_ROWS * (SUM_FLOATS + k);
    return Math.max(panels * openPanelBytes(weights, k), rest);
  }

  @Override
  public long roomBytesById(DataType weights, long k, int panels) {
    long columns = activationBytes(weights, k, GATHERED_COLUMNS);
    long results = 4L * GATHERED_COLUMNS * PANEL_ROWS * panels;
    long rest = 4L * PANEL_ROWS * (SUM_FLOATS + k);
    return Math.max(panels * openPanelBytes(weights, k) + columns + results, rest);
  }

  /** Bytes that one panel of a weight takes unpacked; see matmul_packed.h. */
  private static long openPanelBytes(DataType weights, long k) {
    return weights.blockElements() == 256 ? k / 256 * 6208 : k / 32 * 640;
  }
}
