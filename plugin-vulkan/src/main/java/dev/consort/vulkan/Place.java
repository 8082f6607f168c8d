// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Shape;
import dev.consort.api.Tensor;

/**
 * A range of device memory.
 *
 * @param address of the first byte
 * @param bytes up to the last byte that a tensor's strides reach
 */
record Place(long address, long bytes) {
  static final Place NONE = new Place(0, 0);

  /** The place of a tensor that begins at an address. */
  static Place of(Tensor tensor, long address) {
    if (tensor.shape().isEmpty()) {
      return NONE;
    }
    long last = tensor.type().bytes(tensor.type().blockElements());
    last += (tensor.ne(0) / tensor.type().blockElements() - 1) * tensor.nb(0);
    for (int axis = 1; axis < Shape.AXES; axis++) {
      last += (tensor.ne(axis) - 1) * tensor.nb(axis);
    }
    return new Place(address, last);
  }
}
