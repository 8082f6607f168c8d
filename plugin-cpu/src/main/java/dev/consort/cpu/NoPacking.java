// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;

/** Every weight lies as it is. */
record NoPacking() implements Packing {
  @Override
  public boolean canHold(Tensor tensor) {
    return false;
  }

  @Override
  public int rows() {
    return 1;
  }

  @Override
  public StepCode activations(DataType weights) {
    return StepCode.TILES;
  }

  @Override
  public long activationBytes(DataType weights, long k, long columns) {
    return 0;
  }

  @Override
  public long roomBytes(DataType weights, long k, long columns, int panels) {
    return 0;
  }

  @Override
  public long roomBytesById(DataType weights, long k, int panels) {
    return 0;
  }
}
