// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.Tensor;
import java.util.BitSet;

/**
 * When a tensor's memory is in use.
 *
 * @param defined the step that writes it first
 * @param used the steps that touch it, the defining one among them
 * @param kept whether it is read after the last step, from outside
 */
record Lifetime(Tensor tensor, long bytes, int defined, BitSet used, boolean kept) {

  /** Whether both may lie in the same memory: one is over, in all executions, before the other. */
  boolean excludes(Lifetime other, HappensBefore order) {
    return !endsBefore(other, order) && !other.endsBefore(this, order);
  }

  private boolean endsBefore(Lifetime other, HappensBefore order) {
    if (kept) {
      return false;
    }
    for (int step = used.nextSetBit(0); step >= 0; step = used.nextSetBit(step + 1)) {
      if (step == other.defined || !order.isBefore(step, other.defined)) {
        return false;
      }
    }
    return true;
  }
}
