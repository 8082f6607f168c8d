// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.Gpu;
import org.lwjgl.system.MemoryUtil;

/**
 * A ring of host memory through which data pass to and from memory that the host does not see, or
 * that is in use. Each piece belongs to a submission; reads are copied out when that is done. Used
 * under its stream's lock; allocates nothing after its making.
 */
final class Staging implements AutoCloseable {
  private static final int ENTRIES = 1024;

  private final Gpu gpu;
  private final Block ring;
  private final long[] ends = new long[ENTRIES];
  private final long[] values = new long[ENTRIES];
  private final long[] offsets = new long[ENTRIES];
  private final long[] targets = new long[ENTRIES];
  private final long[] sizes = new long[ENTRIES];
  private long first;
  private long next;
  private long used;
  private long freed;
  private int reads;

  Staging(Gpu gpu, long bytes) {
    this.gpu = gpu;
    this.ring = gpu.heap().allocate(bytes, true);
  }

  Block block() {
    return ring;
  }

  /** The largest piece: small enough that one is filled while others are copied. */
  long largest() {
    return ring.bytes() / 4;
  }

  /**
   * Reserves a piece.
   *
   * @param target host address that gets the piece's bytes when the submission is done, or 0
   * @param value the submission's value
   * @return the offset in the ring, or -1 if older pieces must be retired first
   */
  long reserve(long bytes, long target, long value) {
    long size = (bytes + 63) & -64;
    long start = used;
    long place = start % ring.bytes();
    if (place + size > ring.bytes()) {
      start += ring.bytes() - place;
      place = 0;
    }
    if (start + size - freed > ring.bytes() || next - first == ENTRIES) {
      return -1;
    }
    int entry = (int) (next++ % ENTRIES);
    ends[entry] = start + size;
    values[entry] = value;
    offsets[entry] = place;
    targets[entry] = target;
    sizes[entry] = bytes;
    used = start + size;
    if (target != 0) {
      reads++;
    }
    return place;
  }

  /** The submission of the oldest piece, or 0 if there is none. */
  long oldest() {
    return first == next ? 0 : values[(int) (first % ENTRIES)];
  }

  /** Whether bytes of some submission are still to be copied out. */
  boolean hasReads() {
    return reads > 0;
  }

  /** Whether a read that is still to be copied out goes to this host range. */
  boolean writes(long address, long bytes) {
    for (long i = first; reads > 0 && i < next; i++) {
      int entry = (int) (i % ENTRIES);
      long target = targets[entry];
      if (target != 0 && address < target + sizes[entry] && target < address + bytes) {
        return true;
      }
    }
    return false;
  }

  /** Copies out and frees the pieces of all submissions up to {@code value}. */
  void retire(long value) {
    while (first < next) {
      int entry = (int) (first % ENTRIES);
      if (values[entry] > value) {
        return;
      }
      if (targets[entry] != 0) {
        MemoryUtil.memCopy(ring.mapped() + offsets[entry], targets[entry], sizes[entry]);
        reads--;
      }
      freed = ends[entry];
      first++;
    }
  }

  @Override
  public void close() {
    gpu.heap().free(ring);
  }
}
