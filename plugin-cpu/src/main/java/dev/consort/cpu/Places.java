// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;

/** Where tensors are, and whether they are packed. */
interface Places {
  long address(Tensor tensor);

  boolean packed(Tensor tensor);

  /** Nowhere, every weight packed that can be: enough to know how much memory steps need. */
  Places PACKED = nowhere(true);

  /** Nowhere, no weight packed. */
  Places PLAIN = nowhere(false);

  private static Places nowhere(boolean packed) {
    return new Places() {
      @Override
      public long address(Tensor tensor) {
        return 0;
      }

      @Override
      public boolean packed(Tensor tensor) {
        return packed && Packed.canHold(tensor);
      }
    };
  }

  static Places of(Allocation allocation) {
    return new Places() {
      @Override
      public long address(Tensor tensor) {
        Storage storage = allocation.storage(tensor);
        return CpuBuffer.of(storage.buffer()).address() + storage.offset();
      }

      @Override
      public boolean packed(Tensor tensor) {
        Buffer buffer = allocation.storage(tensor).buffer();
        return buffer.type().repacks() && Packed.canHold(tensor.root());
      }
    };
  }
}
