// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.lwjgl.vulkan.VK13.*;

import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.Calls;
import dev.consort.vulkan.vk.Gpu;
import dev.consort.vulkan.vk.Timelines.Timeline;
import dev.consort.vulkan.vk.VulkanError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkBufferCopy;
import org.lwjgl.vulkan.VkCommandBuffer;
import org.lwjgl.vulkan.VkCommandBufferSubmitInfo;
import org.lwjgl.vulkan.VkQueue;
import org.lwjgl.vulkan.VkSemaphoreSubmitInfo;
import org.lwjgl.vulkan.VkSemaphoreWaitInfo;
import org.lwjgl.vulkan.VkSubmitInfo2;

/**
 * One in-order sequence of submissions to a queue. Every submission signals the next value of a
 * timeline semaphore. Transfers are gathered in an open command buffer that goes along with the
 * next submission. All methods take the stream's lock; none makes garbage in steady state.
 */
final class QueueStream implements AutoCloseable {
  private static final int BUFFERS = 16;
  private static final int MOST_WAITS = 64;
  private static final long SLICE_NANOS = 200_000_000L;

  private final Gpu gpu;
  private final Calls calls;
  private final VkQueue queue;
  private final long semaphore;
  private final Commands pool;
  private final VkCommandBuffer[] buffers = new VkCommandBuffer[BUFFERS];
  private final long[] usedBy = new long[BUFFERS];
  private final VkSubmitInfo2.Buffer submit = VkSubmitInfo2.calloc(1);
  private final VkSemaphoreSubmitInfo.Buffer waits = VkSemaphoreSubmitInfo.calloc(MOST_WAITS);
  private final VkSemaphoreSubmitInfo.Buffer signal = VkSemaphoreSubmitInfo.calloc(1);
  private final VkCommandBufferSubmitInfo.Buffer commands = VkCommandBufferSubmitInfo.calloc(2);
  private final VkBufferCopy.Buffer region = VkBufferCopy.calloc(1);
  // The elements of the above, since getting one makes an object.
  private final VkSemaphoreSubmitInfo[] wait = new VkSemaphoreSubmitInfo[MOST_WAITS];
  private final VkSemaphoreSubmitInfo signalled = signal.get(0);
  private final VkCommandBufferSubmitInfo gathered = commands.get(0);
  private final VkCommandBufferSubmitInfo planned = commands.get(1);
  private final VkBufferCopy copied = region.get(0);
  private final MemorySegment polled = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
  private final Hazards hazards = new Hazards();
  private @Nullable Staging staging;
  private @Nullable VkCommandBuffer open;
  private int turn;
  private int waiting;
  private long submitted;
  private long completed;

  QueueStream(Gpu gpu) {
    this.gpu = gpu;
    this.calls = gpu.calls();
    this.queue = gpu.nextQueue();
    this.pool = new Commands(gpu);
    Timeline timeline = gpu.timelines().take();
    semaphore = timeline.semaphore();
    submitted = timeline.value();
    completed = submitted;
    for (int i = 0; i < BUFFERS; i++) {
      buffers[i] = pool.allocate();
    }
    for (int i = 0; i < MOST_WAITS; i++) {
      wait[i] = waits.get(i).sType$Default().stageMask(VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
    }
    signalled.sType$Default().semaphore(semaphore).stageMask(VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
    gathered.sType$Default();
    planned.sType$Default();
    submit.get(0).sType$Default().pSignalSemaphoreInfos(signal);
  }

  Commands pool() {
    return pool;
  }

  long semaphore() {
    return semaphore;
  }

  /** The value of the newest submission. */
  synchronized long submitted() {
    return submitted;
  }

  /** Whether nothing is gathered, waited for or under way. */
  synchronized boolean isIdle() {
    return open == null && waiting == 0 && poll() >= submitted;
  }

  /** Whether submissions up to the value are done; their reads are then copied out. */
  synchronized boolean isDone(long value) {
    return completed >= value || poll() >= value;
  }

  private long poll() {
    if (completed < submitted) {
      VulkanError.check(
          "vkGetSemaphoreCounterValue",
          calls.getSemaphoreCounterValue(semaphore, polled.address()));
      reached(polled.get(ValueLayout.JAVA_LONG, 0));
    }
    return completed;
  }

  private void reached(long value) {
    completed = Math.max(completed, value);
    if (staging != null) {
      staging.retire(completed);
    }
  }

  /** Waits without the lock; false if the time is over. The value was submitted before. */
  boolean await(long value, long nanos) {
    long end = System.nanoTime() + nanos;
    while (!isDone(value)) {
      long left = Math.min(SLICE_NANOS, end - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      long info = MemoryUtil.nmemCallocChecked(1, VkSemaphoreWaitInfo.SIZEOF + 16);
      try {
        long point = info + VkSemaphoreWaitInfo.SIZEOF;
        MemoryUtil.memPutLong(point, semaphore);
        MemoryUtil.memPutLong(point + 8, value);
        VkSemaphoreWaitInfo.nsType(info, VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO);
        VkSemaphoreWaitInfo.nsemaphoreCount(info, 1);
        MemoryUtil.memPutAddress(info + VkSemaphoreWaitInfo.PSEMAPHORES, point);
        MemoryUtil.memPutAddress(info + VkSemaphoreWaitInfo.PVALUES, point + 8);
        VulkanError.check("vkWaitSemaphores", calls.waitSemaphores(info, left));
      } finally {
        MemoryUtil.nmemFree(info);
      }
    }
    return true;
  }

  /** The next submission waits for another stream's; that value is submitted already. */
  synchronized void addWait(QueueStream other, long value) {
    if (other == this || other.isDone(value)) {
      return;
    }
    for (int i = 0; i < waiting; i++) {
      if (wait[i].semaphore() == other.semaphore) {
        wait[i].value(Math.max(value, wait[i].value()));
        return;
      }
    }
    if (waiting == MOST_WAITS) {
      flush(null);
    }
    if (open != null) {
      // What is gathered came before the wait and must not be held up by it.
      flush(null);
    }
    wait[waiting++].semaphore(other.semaphore).value(value);
  }

  /** Submits what is gathered and waited for, and then a plan's commands; returns the value. */
  synchronized long flush(@Nullable VkCommandBuffer plan) {
    if (open == null && waiting == 0 && plan == null) {
      return submitted;
    }
    int count = 0;
    if (open != null) {
      pool.end(open);
      gathered.commandBuffer(open);
      count = 1;
      open = null;
      hazards.clear();
    }
    if (plan != null) {
      (count == 0 ? gathered : planned).commandBuffer(plan);
      count++;
    }
    long info = submit.address();
    VkSubmitInfo2.nwaitSemaphoreInfoCount(info, waiting);
    MemoryUtil.memPutAddress(
        info + VkSubmitInfo2.PWAITSEMAPHOREINFOS, waiting == 0 ? 0 : waits.address());
    VkSubmitInfo2.ncommandBufferInfoCount(info, count);
    MemoryUtil.memPutAddress(
        info + VkSubmitInfo2.PCOMMANDBUFFERINFOS, count == 0 ? 0 : commands.address());
    signalled.value(submitted + 1);
    synchronized (queue) {
      VulkanError.check("vkQueueSubmit2", calls.queueSubmit2(queue.address(), info));
    }
    waiting = 0;
    return ++submitted;
  }

  /** The open command buffer, after a barrier if the accesses need one. */
  private VkCommandBuffer gather(long read, long readBytes, long write, long writeBytes) {
    VkCommandBuffer current = open;
    if (current == null) {
      int index = turn++ % BUFFERS;
      if (usedBy[index] > 0 && !isDone(usedBy[index])) {
        await(usedBy[index], Long.MAX_VALUE / 2);
      }
      current = buffers[index];
      usedBy[index] = submitted + 1;
      pool.beginOnce(current);
      open = current;
    } else if (hazards.conflicts(read, readBytes, false)
        || hazards.conflicts(write, writeBytes, true)) {
      pool.barrier(current);
      hazards.clear();
    }
    hazards.add(read, readBytes, false);
    hazards.add(write, writeBytes, true);
    return current;
  }

  /** Gathers a copy between two blocks. */
  synchronized void copy(Block from, long fromOffset, Block to, long toOffset, long bytes) {
    VkCommandBuffer into =
        gather(from.address() + fromOffset, bytes, to.address() + toOffset, bytes);
    copied.srcOffset(fromOffset).dstOffset(toOffset).size(bytes);
    calls.cmdCopyBuffer(into.address(), from.handle(), to.handle(), region.address());
  }

  /** Gathers a fill of a whole block. */
  synchronized void fill(Block block, byte value) {
    VkCommandBuffer into = gather(0, 0, block.address(), block.bytes());
    int word = (value & 255) * 0x01010101;
    vkCmdFillBuffer(into, block.handle(), 0, block.bytes(), word);
  }

  /** Gathers a write from host memory, which is copied at once. */
  synchronized void write(Block to, long offset, long source, long bytes) {
    for (long done = 0; done < bytes; ) {
      Staging ring = staging();
      long part = Math.min(bytes - done, ring.largest());
      long place = reserve(ring, part, 0);
      MemoryUtil.memCopy(source + done, ring.block().mapped() + place, part);
      copy(ring.block(), place, to, offset + done, part);
      done += part;
    }
  }

  /** Gathers a read into host memory, which is written when somebody sees the submission done. */
  synchronized void read(Block from, long offset, long target, long bytes) {
    for (long done = 0; done < bytes; ) {
      Staging ring = staging();
      long part = Math.min(bytes - done, ring.largest());
      long place = reserve(ring, part, target + done);
      copy(from, offset + done, ring.block(), place, part);
      done += part;
    }
  }

  private Staging staging() {
    if (staging == null) {
      // A device with memory of its own gets all its weights this way.
      staging = new Staging(gpu, gpu.adapter().sharesHostMemory() ? 8 << 20 : 64 << 20);
    }
    return staging;
  }

  private long reserve(Staging ring, long bytes, long target) {
    // The piece goes with the command buffer that is open when it is used, or the next.
    long place;
    while ((place = ring.reserve(bytes, target, submitted + 1)) < 0) {
      flush(null);
      await(ring.oldest(), Long.MAX_VALUE / 2);
    }
    return place;
  }

  /** Whether reads have not reached host memory yet. */
  synchronized boolean hasReads() {
    return staging != null && staging.hasReads();
  }

  /** Whether a read that has not reached host memory goes to this range. */
  synchronized boolean writesHost(long address, long bytes) {
    return staging != null && staging.writes(address, bytes);
  }

  @Override
  public void close() {
    if (completed == submitted) {
      gpu.timelines().giveBack(new Timeline(semaphore, submitted));
    }
    if (staging != null) {
      staging.close();
    }
    pool.close();
    submit.free();
    waits.free();
    signal.free();
    commands.free();
    region.free();
  }
}
