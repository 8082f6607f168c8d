// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** Which weights can be packed: rows interleaved by sixteen, in the bytes they had. */
final class Packed {
  static final int PANEL_ROWS = 16;

  private Packed() {}

  /** Whether a tensor in a packed buffer lies there packed; others lie as they are. */
  static boolean canHold(Tensor tensor) {
    return tensor.type().isQuantized() && tensor.isContiguous() && tensor.base().isEmpty();
  }

  static Support accepts(Tensor weight, Tensor user) {
    if (!(weight.operation() instanceof Operation.Weight) || !canHold(weight)) {
      return Support.no(weight + " is no quantised weight of its own");
    }
    boolean product =
        user.operation() instanceof Operation.MatMul
            || user.operation() instanceof Operation.MatMulId;
    if (!product || user.source(0) != weight) {
      return Support.no(user + " does not multiply with it");
    }
    return Support.yes();
  }

  /** Bytes of one quantised column of {@code k} elements; see quantize.h. */
  static long columnBytes(DataType weights, long k) {
    return weights.blockElements() == 256 ? k / 256 * 340 : k / 32 * 40;
  }

  /** Bytes that one panel of a weight takes unpacked; see matmul_packed.h. */
  static long openPanelBytes(DataType weights, long k) {
    return weights.blockElements() == 256 ? k / 256 * 6208 : k / 32 * 640;
  }
}
