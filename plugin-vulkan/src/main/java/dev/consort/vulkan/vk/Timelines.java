// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.VK13.*;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkSemaphoreCreateInfo;
import org.lwjgl.vulkan.VkSemaphoreTypeCreateInfo;

/**
 * The timeline semaphores of a logical device. One must outlive every submission that waits for it,
 * those of other streams included, and Mesa's queue thread still touches it after it has signalled
 * such a submission. So none is destroyed before the device is idle: what a closed stream leaves is
 * taken over by the next, which counts on from its value. Thread safe.
 */
public final class Timelines implements AutoCloseable {
  /** A semaphore and the value it stands at, with nothing under way that would raise it. */
  public record Timeline(long semaphore, long value) {}

  private final VkDevice device;
  private final List<Long> all = new ArrayList<>();
  private final Deque<Timeline> unused = new ArrayDeque<>();

  Timelines(VkDevice device) {
    this.device = device;
  }

  /** A timeline that nobody else uses. */
  public synchronized Timeline take() {
    Timeline left = unused.poll();
    return left != null ? left : create();
  }

  /** Hands a timeline on to the next stream; all that was to signal it has been seen done. */
  public synchronized void giveBack(Timeline timeline) {
    unused.add(timeline);
  }

  private Timeline create() {
    try (MemoryStack stack = Frame.push()) {
      var type =
          VkSemaphoreTypeCreateInfo.calloc(stack)
              .sType$Default()
              .semaphoreType(VK_SEMAPHORE_TYPE_TIMELINE);
      var info = VkSemaphoreCreateInfo.calloc(stack).sType$Default().pNext(type);
      var handle = stack.mallocLong(1);
      VulkanError.check("vkCreateSemaphore", vkCreateSemaphore(device, info, null, handle));
      all.add(handle.get(0));
      return new Timeline(handle.get(0), 0);
    }
  }

  /** Destroys all of them; the device is idle. */
  @Override
  public synchronized void close() {
    all.forEach(semaphore -> vkDestroySemaphore(device, semaphore, null));
    all.clear();
    unused.clear();
  }
}
