// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.HostBlock;
import dev.consort.cuda.driver.Marker;
import dev.consort.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Pinned memory through which a device's other host memory travels: rings of blocks, one for each
 * power of two. A block is used again when its event is done. Thread safe; blocks are used in the
 * device's context.
 */
final class Staging implements AutoCloseable {
  /** What is larger travels in pieces of this size. */
  static final long PIECE = 4 << 20;

  private static final int SMALLEST = 12;
  private static final int CLASSES = 11;
  private static final long RING_BYTES = 16 << 20;
  private static final int RING_BLOCKS = 64;

  /** A piece of pinned memory and the point at which its transfer is done. */
  static final class Block {
    private final CudaDevice device;
    private final HostBlock memory;
    private final MemorySegment segment;
    private final Marker marker = new Marker();
    private @Nullable MemorySegment target;
    private long targetOffset;
    private long targetStride;
    private long rowBytes;
    private long rows;
    private boolean taken;

    private Block(CudaDevice device, long bytes) {
      this.device = device;
      this.memory = new HostBlock(bytes);
      this.segment = memory.segment();
    }

    CudaDevice owner() {
      return device;
    }

    long address() {
      return memory.address();
    }

    MemorySegment segment() {
      return segment;
    }

    /** The transfer has been asked for. */
    synchronized void sent(Stream stream) {
      marker.record(stream);
      taken = false;
    }

    /**
     * The read has been asked for; its rows go to the target. Decoding reads once a token and
     * member, so nothing is made for it.
     */
    synchronized void reading(
        Stream stream, MemorySegment to, long offset, long stride, long bytesOfRow, long rowCount) {
      target = to;
      targetOffset = offset;
      targetStride = stride;
      rowBytes = bytesOfRow;
      rows = rowCount;
      sent(stream);
    }

    private synchronized boolean isFree() {
      return !taken && target == null && marker.isDone();
    }

    /** Whether a read goes into the segment. */
    synchronized boolean writes(MemorySegment over) {
      MemorySegment to = target;
      return to != null
          && to.asSlice(targetOffset, (rows - 1) * targetStride + rowBytes)
              .asOverlappingSlice(over)
              .isPresent();
    }

    void await() {
      marker.await();
    }

    /** Brings a read that is done to its target; false if it is not done. */
    synchronized boolean finish() {
      MemorySegment to = target;
      if (to == null) {
        return true;
      }
      if (taken || !marker.isDone()) {
        return false;
      }
      if (targetStride == rowBytes) {
        MemorySegment.copy(segment, 0, to, targetOffset, rows * rowBytes);
      } else {
        for (long row = 0; row < rows; row++) {
          long at = targetOffset + row * targetStride;
          MemorySegment.copy(segment, row * rowBytes, to, at, rowBytes);
        }
      }
      target = null;
      return true;
    }

    private void free() {
      marker.close();
      memory.close();
    }
  }

  private static final class Ring {
    private final List<Block> blocks = new ArrayList<>();
    private int next;
  }

  private final CudaDevice device;
  private final Ring[] rings = new Ring[CLASSES];

  Staging(CudaDevice device) {
    this.device = device;
    for (int i = 0; i < CLASSES; i++) {
      rings[i] = new Ring();
    }
  }

  private static int kind(long bytes) {
    int log = 64 - Long.numberOfLeadingZeros(Math.max(1, bytes - 1));
    return Math.max(0, log - SMALLEST);
  }

  /** A block to write into; waits for an older transfer where many are under way. */
  synchronized Block forWrite(long bytes) {
    int kind = kind(bytes);
    Ring ring = rings[kind];
    Block free = free(ring);
    if (free == null
        && (long) ring.blocks.size() << (SMALLEST + kind) < RING_BYTES
        && ring.blocks.size() < RING_BLOCKS) {
      free = add(ring, kind);
    }
    for (int i = 0; free == null && i < ring.blocks.size(); i++) {
      Block block = ring.blocks.get((ring.next + i) % ring.blocks.size());
      if (block.target == null && !block.taken) {
        block.await();
        free = block;
      }
    }
    return take(free == null ? add(ring, kind) : free);
  }

  /** A block to read into; never waits. */
  synchronized Block forRead(long bytes) {
    int kind = kind(bytes);
    Block free = free(rings[kind]);
    return take(free == null ? add(rings[kind], kind) : free);
  }

  private static Block take(Block block) {
    block.taken = true;
    return block;
  }

  private static @Nullable Block free(Ring ring) {
    if (ring.blocks.isEmpty()) {
      return null;
    }
    ring.next = (ring.next + 1) % ring.blocks.size();
    Block block = ring.blocks.get(ring.next);
    return block.isFree() ? block : null;
  }

  private Block add(Ring ring, int kind) {
    Block block = new Block(device, 1L << (SMALLEST + kind));
    ring.blocks.add(block);
    ring.next = ring.blocks.size() - 1;
    return block;
  }

  @Override
  public synchronized void close() {
    for (Ring ring : rings) {
      ring.blocks.forEach(Block::free);
      ring.blocks.clear();
    }
  }
}
