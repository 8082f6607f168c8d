// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Copies between two tensors of a meta device. */
final class MetaCopy {
  private final MetaBackend backend;
  private final TensorParts from;
  private final TensorParts to;

  MetaCopy(MetaBackend backend, TensorParts from, TensorParts to) {
    this.backend = backend;
    this.from = from;
    this.to = to;
  }

  void copy(Storage source, long sourceOffset, Storage target, long targetOffset, long bytes) {
    if (liesAlike() && sourceOffset == 0 && targetOffset == 0 && bytes == from.tensor().bytes()) {
      copyPieces();
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment host = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
      backend.get(source, sourceOffset, host);
      backend.synchronize();
      backend.set(target, targetOffset, host);
      backend.synchronize();
    }
  }

  private boolean liesAlike() {
    return from.state().equals(to.state())
        && from.tensor().shape().equals(to.tensor().shape())
        && from.tensor().type() == to.tensor().type()
        && Arrays.deepEquals(from.rectangles(), to.rectangles());
  }

  private void copyPieces() {
    for (int m = 0; m < from.storages().length; m++) {
      Storage a = from.storages()[m];
      Storage b = to.storages()[m];
      if (a != null && b != null) {
        backend.submitter(m).copy(a, b, Rectangle.whole(a.tensor().bytes()));
      }
    }
  }
}
