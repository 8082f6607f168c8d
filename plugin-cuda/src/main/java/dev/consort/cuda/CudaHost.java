// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.CudaError;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What the plugin's devices share of the host's memory: the pinned buffers, and the reads whose
 * bytes are in pinned memory but not yet where the caller wants them. Such a read is finished when
 * somebody learns that it is done, which is before anybody may look. Thread safe.
 */
final class CudaHost {
  private final List<CudaBuffers.Piece> pinned = new ArrayList<>();
  private final List<Staging.Block> reads = new ArrayList<>();

  synchronized void add(CudaBuffers.Piece piece) {
    pinned.add(piece);
  }

  synchronized void remove(CudaBuffers.Piece piece) {
    pinned.remove(piece);
  }

  /** Whether the segment lies in pinned memory. */
  synchronized boolean isPinned(MemorySegment segment) {
    if (!segment.isNative()) {
      return false;
    }
    long from = segment.address();
    long to = from + segment.byteSize();
    for (int i = 0; i < pinned.size(); i++) {
      CudaBuffers.Piece piece = pinned.get(i);
      if (from >= piece.address() && to <= piece.address() + piece.bytes()) {
        return true;
      }
    }
    return false;
  }

  synchronized void add(Staging.Block read) {
    reads.add(read);
  }

  /** Finishes all reads that are done. */
  synchronized void settle() {
    for (int i = 0; i < reads.size(); ) {
      Staging.Block read = reads.get(i);
      try {
        if (read.finish()) {
          reads.remove(i);
        } else {
          i++;
        }
      } catch (CudaError e) {
        // Its own device has failed, not the one whose caller is settling.
        read.owner().fail("get", e);
      }
    }
  }

  /** Finishes the reads that write into the segment, waiting for them. */
  synchronized void settle(MemorySegment over) {
    for (int i = 0; i < reads.size(); i++) {
      Staging.Block read = reads.get(i);
      if (read.writes(over)) {
        read.await();
      }
    }
    settle();
  }

  /** Forgets the reads of a device that failed. */
  synchronized void forget(CudaDevice device) {
    reads.removeIf(read -> read.owner() == device);
  }
}
