// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/**
 * How weights lie packed: rows interleaved in panels, in the bytes they had; rows that fill no
 * panel follow as they were. And what products with them need.
 */
interface Packing {
  /** Up to so many columns are multiplied one by one. */
  int FEW_COLUMNS = 4;

  /** Packs nothing; there is only this one. */
  Packing NONE = new NoPacking();

  /** What the kernels of the given name pack. */
  static Packing of(String path) {
    if (!path.equals("portable")) {
      return new NativePacking();
    }
    return Vectors.PRESENT ? new PortablePacking() : NONE;
  }

  /** Whether a tensor in a packed buffer lies there packed; others lie as they are. */
  boolean canHold(Tensor tensor);

  /** Whether products with packed weights can go on from a sum that is there already. */
  default boolean goesOn() {
    return false;
  }

  /** Rows of a panel. */
  int rows();

  /** The step that makes activations ready, and which weights share what it makes. */
  StepCode activations(DataType weights);

  /** Bytes that it makes of columns of {@code k} elements. */
  long activationBytes(DataType weights, long k, long columns);

  /**
   * Bytes that a thread needs of its own.
   *
   * @param panels panels of an item
   */
  long roomBytes(DataType weights, long k, long columns, int panels);

  /** The same for products with one matrix a row. */
  long roomBytesById(DataType weights, long k, int panels);

  /** Whether {@code user} can read the weight packed. */
  default Support accepts(Tensor weight, Tensor user) {
    if (!(weight.operation() instanceof Operation.Weight) || !canHold(weight)) {
      return Support.no(weight + " is no weight of its own in a type that is packed");
    }
    boolean product =
        user.operation() instanceof Operation.MatMul
            || user.operation() instanceof Operation.MatMulId;
    if (!product || user.source(0) != weight) {
      return Support.no(user + " does not multiply with it");
    }
    return Support.yes();
  }
}
