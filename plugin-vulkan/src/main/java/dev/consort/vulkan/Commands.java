// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.lwjgl.vulkan.VK13.*;

import dev.consort.vulkan.vk.Frame;
import dev.consort.vulkan.vk.Gpu;
import dev.consort.vulkan.vk.VulkanError;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VkCommandBuffer;
import org.lwjgl.vulkan.VkCommandBufferAllocateInfo;
import org.lwjgl.vulkan.VkCommandBufferBeginInfo;
import org.lwjgl.vulkan.VkCommandPoolCreateInfo;
import org.lwjgl.vulkan.VkDependencyInfo;
import org.lwjgl.vulkan.VkMemoryBarrier2;

/** A pool of command buffers, and the barriers that go into them. Used by one thread at a time. */
final class Commands implements AutoCloseable {
  private final Gpu gpu;
  private final long pool;
  private final VkMemoryBarrier2.Buffer full = VkMemoryBarrier2.calloc(1);
  private final VkDependencyInfo fullInfo = VkDependencyInfo.calloc();
  private final VkMemoryBarrier2.Buffer compute = VkMemoryBarrier2.calloc(1);
  private final VkDependencyInfo computeInfo = VkDependencyInfo.calloc();
  private final VkCommandBufferBeginInfo once = VkCommandBufferBeginInfo.calloc();
  private final VkCommandBufferBeginInfo often = VkCommandBufferBeginInfo.calloc();

  Commands(Gpu gpu) {
    this.gpu = gpu;
    try (MemoryStack stack = Frame.push()) {
      var info =
          VkCommandPoolCreateInfo.calloc(stack)
              .sType$Default()
              .flags(VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT)
              .queueFamilyIndex(gpu.queueFamily());
      var handle = stack.mallocLong(1);
      VulkanError.check(
          "vkCreateCommandPool", vkCreateCommandPool(gpu.device(), info, null, handle));
      pool = handle.get(0);
    }
    full.get(0)
        .sType$Default()
        .srcStageMask(VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT)
        .srcAccessMask(VK_ACCESS_2_MEMORY_WRITE_BIT | VK_ACCESS_2_MEMORY_READ_BIT)
        .dstStageMask(VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_HOST_BIT)
        .dstAccessMask(VK_ACCESS_2_MEMORY_WRITE_BIT | VK_ACCESS_2_MEMORY_READ_BIT);
    fullInfo.sType$Default().pMemoryBarriers(full);
    compute
        .get(0)
        .sType$Default()
        .srcStageMask(VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT)
        .srcAccessMask(VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_SHADER_READ_BIT)
        .dstStageMask(VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT)
        .dstAccessMask(VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_SHADER_READ_BIT);
    computeInfo.sType$Default().pMemoryBarriers(compute);
    once.sType$Default().flags(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    often.sType$Default().flags(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
  }

  VkCommandBuffer allocate() {
    try (MemoryStack stack = Frame.push()) {
      var info =
          VkCommandBufferAllocateInfo.calloc(stack)
              .sType$Default()
              .commandPool(pool)
              .level(VK_COMMAND_BUFFER_LEVEL_PRIMARY)
              .commandBufferCount(1);
      PointerBuffer handle = stack.mallocPointer(1);
      VulkanError.check(
          "vkAllocateCommandBuffers", vkAllocateCommandBuffers(gpu.device(), info, handle));
      return new VkCommandBuffer(handle.get(0), gpu.device());
    }
  }

  void free(VkCommandBuffer buffer) {
    try (MemoryStack stack = Frame.push()) {
      vkFreeCommandBuffers(gpu.device(), pool, stack.pointers(buffer));
    }
  }

  /** Begins a command buffer that waits for everything before it on its queue. */
  void beginOnce(VkCommandBuffer buffer) {
    begin(buffer, once);
  }

  /** The same for one that is submitted many times. */
  void beginOften(VkCommandBuffer buffer) {
    begin(buffer, often);
  }

  private void begin(VkCommandBuffer buffer, VkCommandBufferBeginInfo info) {
    VulkanError.check(
        "vkBeginCommandBuffer", gpu.calls().beginCommandBuffer(buffer.address(), info.address()));
    barrier(buffer);
  }

  /** Everything before happens before everything after, also for the host. */
  void barrier(VkCommandBuffer buffer) {
    gpu.calls().cmdPipelineBarrier2(buffer.address(), fullInfo.address());
  }

  /** The same among compute dispatches alone. */
  void computeBarrier(VkCommandBuffer buffer) {
    gpu.calls().cmdPipelineBarrier2(buffer.address(), computeInfo.address());
  }

  /** Makes the results visible to the host and ends the buffer. */
  void end(VkCommandBuffer buffer) {
    barrier(buffer);
    VulkanError.check("vkEndCommandBuffer", gpu.calls().endCommandBuffer(buffer.address()));
  }

  @Override
  public void close() {
    vkDestroyCommandPool(gpu.device(), pool, null);
    full.free();
    fullInfo.free();
    compute.free();
    computeInfo.free();
    once.free();
    often.free();
  }
}
