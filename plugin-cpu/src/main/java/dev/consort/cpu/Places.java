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

  /** How packed weights lie. */
  Packing packing();

  /** Nowhere, every weight packed that can be: enough to know how much memory steps need. */
  static Places nowhere(Packing packing) {
    return new Places() {
      @Override
      public long address(Tensor tensor) {
        return 0;
      }

      @Override
      public boolean packed(Tensor tensor) {
        return packing.canHold(tensor);
      }

      @Override
      public Packing packing() {
        return packing;
      }
    };
  }

  static Places of(Allocation allocation, Packing packing) {
    return new Places() {
      @Override
      public long address(Tensor tensor) {
        Storage storage = allocation.storage(tensor);
        return CpuBuffer.of(storage.buffer()).address() + storage.offset();
      }

      @Override
      public boolean packed(Tensor tensor) {
        Buffer buffer = allocation.storage(tensor).buffer();
        return buffer.type().repacks() && packing.canHold(tensor.root());
      }

      @Override
      public Packing packing() {
        return packing;
      }
    };
  }
}
