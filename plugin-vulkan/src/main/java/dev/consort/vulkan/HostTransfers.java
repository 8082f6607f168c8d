// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Block;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.lwjgl.system.MemoryUtil;

/**
 * A stream's writes from and reads into host memory: in place where the host sees the memory and
 * the stream is idle, by the device where the segment is in a host buffer of it, else through
 * staging memory, which takes a write's bytes at once and gives a read's when the submission is
 * seen done.
 */
final class HostTransfers {
  private static final long FOREVER = Long.MAX_VALUE / 4;

  private final VulkanDevice device;
  private final QueueStream stream;
  private volatile @Nullable VulkanBackend reader;
  private volatile long readerValue;

  HostTransfers(VulkanDevice device, QueueStream stream) {
    this.device = device;
    this.stream = stream;
  }

  /**
   * The stream waits for another, some of whose reads are perhaps not in host memory yet; writes
   * that follow may be of just these bytes.
   */
  void follows(VulkanBackend other, long value) {
    VulkanBackend before = reader;
    if (before != null && before != other) {
      before.await(readerValue, FOREVER);
    }
    readerValue = value;
    reader = other;
  }

  /** Whether reads that this stream waits for may not be in host memory yet. */
  boolean isUnsettled() {
    VulkanBackend other = reader;
    if (other != null && other.isDone(readerValue) && !other.isUnsettled()) {
      reader = null;
      return false;
    }
    return other != null;
  }

  /** Whether the segment may yet be written by a read that comes before in the stream's order. */
  boolean mustWait(MemorySegment from) {
    if (device.pinned().find(address(from), from.byteSize()) != null) {
      return false;
    }
    return isUnsettled() || stream.writesHost(address(from), from.byteSize());
  }

  /** Blocks until all reads that come before are in host memory. */
  void settle() {
    VulkanBackend other = reader;
    if (other != null) {
      other.await(readerValue, FOREVER);
      reader = null;
    }
    if (stream.hasReads()) {
      stream.await(stream.flush(null), FOREVER);
    }
  }

  private static long address(MemorySegment segment) {
    return segment.isNative() ? segment.address() : 0;
  }

  void write(Block to, long offset, MemorySegment from) {
    long bytes = from.byteSize();
    if (to.mapped() != 0 && stream.isIdle()) {
      copyIn(from, to.mapped() + offset);
      return;
    }
    var pinned = device.pinned().find(address(from), bytes);
    if (pinned != null) {
      long source = from.address() - pinned.hostAddress();
      stream.copy(pinned.open(), source, to, offset, bytes);
    } else if (from.isNative()) {
      stream.write(to, offset, from.address(), bytes);
    } else {
      long copy = MemoryUtil.nmemAllocChecked(bytes);
      try {
        copyIn(from, copy);
        stream.write(to, offset, copy, bytes);
      } finally {
        MemoryUtil.nmemFree(copy);
      }
    }
  }

  void read(Block from, long offset, MemorySegment to) {
    long bytes = to.byteSize();
    if (from.mapped() != 0 && stream.isIdle()) {
      copyOut(from.mapped() + offset, to);
      return;
    }
    var pinned = device.pinned().find(address(to), bytes);
    if (pinned != null) {
      stream.copy(from, offset, pinned.open(), to.address() - pinned.hostAddress(), bytes);
    } else if (to.isNative()) {
      stream.read(from, offset, to.address(), bytes);
    } else {
      // Heap memory has no address to write later, so this waits.
      long copy = MemoryUtil.nmemAllocChecked(bytes);
      try {
        stream.read(from, offset, copy, bytes);
        stream.await(stream.flush(null), FOREVER);
        copyOut(copy, to);
      } finally {
        MemoryUtil.nmemFree(copy);
      }
    }
  }

  // By address, since held-back work runs on a thread that confined segments refuse.
  private static void copyIn(MemorySegment from, long to) {
    if (from.isNative()) {
      MemoryUtil.memCopy(from.address(), to, from.byteSize());
    } else {
      var target = MemorySegment.ofAddress(to).reinterpret(from.byteSize());
      MemorySegment.copy(from, 0, target, 0, from.byteSize());
    }
  }

  private static void copyOut(long from, MemorySegment to) {
    if (to.isNative()) {
      MemoryUtil.memCopy(from, to.address(), to.byteSize());
    } else {
      var source = MemorySegment.ofAddress(from).reinterpret(to.byteSize());
      MemorySegment.copy(source, 0, to, 0, to.byteSize());
    }
  }
}
