// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.GetTensor2d;
import dev.consort.api.ProcAddresses;
import dev.consort.api.SetTensor2d;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Moves rectangles between a whole tensor in host memory and a member's piece of it: by the
 * device's 2D transfers, or row by row where it has none.
 */
final class Transfers {
  private final Backend backend;
  private final Optional<SetTensor2d> set2d;
  private final Optional<GetTensor2d> get2d;
  private final LastSlice run = new LastSlice();
  private final LastSlice rest = new LastSlice();

  Transfers(Backend backend) {
    this.backend = backend;
    this.set2d = backend.device().find(ProcAddresses.SET_TENSOR_2D_ASYNC);
    this.get2d = backend.device().find(ProcAddresses.GET_TENSOR_2D_ASYNC);
  }

  void set(Storage to, Rectangle r, MemorySegment from) {
    if (r.rows() == 1) {
      backend.set(to, r.localOffset(), run.of(from, r.fullOffset(), r.rowBytes()));
    } else if (set2d.isPresent()) {
      set2d
          .get()
          .set(
              backend,
              to,
              r.localOffset(),
              r.localStride(),
              rest(from, r.fullOffset()),
              r.fullStride(),
              r.rowBytes(),
              r.rows());
    } else {
      for (long i = 0; i < r.rows(); i++) {
        MemorySegment row = from.asSlice(r.fullOffset() + i * r.fullStride(), r.rowBytes());
        backend.set(to, r.localOffset() + i * r.localStride(), row);
      }
    }
  }

  void get(Storage from, Rectangle r, MemorySegment to) {
    if (r.rows() == 1) {
      backend.get(from, r.localOffset(), run.of(to, r.fullOffset(), r.rowBytes()));
    } else if (get2d.isPresent()) {
      get2d
          .get()
          .get(
              backend,
              from,
              r.localOffset(),
              r.localStride(),
              rest(to, r.fullOffset()),
              r.fullStride(),
              r.rowBytes(),
              r.rows());
    } else {
      for (long i = 0; i < r.rows(); i++) {
        MemorySegment row = to.asSlice(r.fullOffset() + i * r.fullStride(), r.rowBytes());
        backend.get(from, r.localOffset() + i * r.localStride(), row);
      }
    }
  }

  private MemorySegment rest(MemorySegment host, long offset) {
    return rest.of(host, offset, host.byteSize() - offset);
  }

  /** A repacking buffer takes a tensor in one piece: the rectangles are gathered first. Blocks. */
  void setRepacked(Storage to, Rectangle[] rectangles, MemorySegment from) {
    if (rectangles.length == 1 && rectangles[0].rows() == 1) {
      backend.set(to, 0, run.of(from, rectangles[0].fullOffset(), rectangles[0].rowBytes()));
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment whole = arena.allocate(to.tensor().bytes(), 64);
      for (Rectangle r : rectangles) {
        for (long i = 0; i < r.rows(); i++) {
          MemorySegment.copy(
              from,
              r.fullOffset() + i * r.fullStride(),
              whole,
              r.localOffset() + i * r.localStride(),
              r.rowBytes());
        }
      }
      backend.set(to, 0, whole);
      backend.synchronize();
    }
  }

  /** A piece that has another data type is written anew, in one go. Blocks. */
  void setRecoded(Storage to, Tensor whole, Rectangle[] rectangles, MemorySegment from) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment piece = arena.allocate(to.tensor().bytes(), 64);
      Recoding.write(whole, from, rectangles, to.tensor().type(), piece);
      backend.set(to, 0, piece);
      backend.synchronize();
    }
  }
}
