// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.util.vma.Vma.*;
import static org.lwjgl.vulkan.EXTExternalMemoryHost.*;
import static org.lwjgl.vulkan.VK13.*;

import java.nio.LongBuffer;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.util.vma.VmaAllocationCreateInfo;
import org.lwjgl.util.vma.VmaAllocationInfo;
import org.lwjgl.util.vma.VmaAllocatorCreateInfo;
import org.lwjgl.util.vma.VmaVulkanFunctions;
import org.lwjgl.vulkan.VkBufferCreateInfo;
import org.lwjgl.vulkan.VkBufferDeviceAddressInfo;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkExternalMemoryBufferCreateInfo;
import org.lwjgl.vulkan.VkImportMemoryHostPointerInfoEXT;
import org.lwjgl.vulkan.VkMemoryAllocateFlagsInfo;
import org.lwjgl.vulkan.VkMemoryAllocateInfo;
import org.lwjgl.vulkan.VkMemoryHostPointerPropertiesEXT;
import org.lwjgl.vulkan.VkMemoryRequirements;

/** A device's memory, and host memory that it reaches. Thread safe. */
public final class Heap implements AutoCloseable {
  private static final int USAGE =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
          | VK_BUFFER_USAGE_TRANSFER_SRC_BIT
          | VK_BUFFER_USAGE_TRANSFER_DST_BIT
          | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

  private final Adapter adapter;
  private final VkDevice device;
  private final long allocator;
  private final AtomicLong allocated = new AtomicLong();

  Heap(Adapter adapter, VkDevice device) {
    this.adapter = adapter;
    this.device = device;
    try (MemoryStack stack = Frame.push()) {
      PointerBuffer handle = stack.mallocPointer(1);
      var functions = VmaVulkanFunctions.calloc(stack).set(adapter.instance().handle(), device);
      var info =
          VmaAllocatorCreateInfo.calloc(stack)
              .flags(VMA_ALLOCATOR_CREATE_BUFFER_DEVICE_ADDRESS_BIT)
              .physicalDevice(adapter.handle())
              .device(device)
              .instance(adapter.instance().handle())
              .pVulkanFunctions(functions)
              .vulkanApiVersion(VK_API_VERSION_1_3);
      VulkanError.check("vmaCreateAllocator", vmaCreateAllocator(info, handle));
      allocator = handle.get(0);
    }
  }

  /** Bytes that {@link #allocate} holds at present. */
  public long allocated() {
    return allocated.get();
  }

  /**
   * Memory for tensors, or, with {@code forHost}, memory that both sides reach.
   *
   * @throws VulkanError out of memory
   */
  public Block allocate(long bytes, boolean forHost) {
    try (MemoryStack stack = Frame.push()) {
      long size = (Math.max(bytes, 16) + 15) & -16;
      var info = VkBufferCreateInfo.calloc(stack).sType$Default().size(size).usage(USAGE);
      boolean mapped = forHost || adapter.sharesHostMemory();
      var how =
          VmaAllocationCreateInfo.calloc(stack)
              .flags(mapped ? VMA_ALLOCATION_CREATE_MAPPED_BIT : 0)
              .requiredFlags(
                  mapped
                      ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                      : VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
              .preferredFlags(
                  forHost
                      ? VK_MEMORY_PROPERTY_HOST_CACHED_BIT
                      : mapped
                          ? VK_MEMORY_PROPERTY_HOST_CACHED_BIT | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
                          : 0);
      LongBuffer buffer = stack.mallocLong(1);
      PointerBuffer memory = stack.mallocPointer(1);
      var result = VmaAllocationInfo.calloc(stack);
      VulkanError.check(
          "vmaCreateBuffer", vmaCreateBuffer(allocator, info, how, buffer, memory, result));
      allocated.addAndGet(size);
      return new Block(
          buffer.get(0),
          memory.get(0),
          false,
          address(stack, buffer.get(0)),
          mapped ? result.pMappedData() : 0,
          size);
    }
  }

  /** Imports host pages; address and size are multiples of the adapter's import alignment. */
  public Optional<Block> importHost(long hostAddress, long bytes) {
    if (!adapter.importsHostMemory()) {
      return Optional.empty();
    }
    try (MemoryStack stack = Frame.push()) {
      int handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
      var pointer = VkMemoryHostPointerPropertiesEXT.calloc(stack).sType$Default();
      if (vkGetMemoryHostPointerPropertiesEXT(device, handleType, hostAddress, pointer) != 0) {
        return Optional.empty();
      }
      var external =
          VkExternalMemoryBufferCreateInfo.calloc(stack).sType$Default().handleTypes(handleType);
      var info =
          VkBufferCreateInfo.calloc(stack).sType$Default().pNext(external).size(bytes).usage(USAGE);
      LongBuffer handle = stack.mallocLong(1);
      if (vkCreateBuffer(device, info, null, handle) != 0) {
        return Optional.empty();
      }
      long buffer = handle.get(0);
      var needs = VkMemoryRequirements.calloc(stack);
      vkGetBufferMemoryRequirements(device, buffer, needs);
      int types = needs.memoryTypeBits() & pointer.memoryTypeBits();
      if (types == 0 || needs.size() > bytes) {
        vkDestroyBuffer(device, buffer, null);
        return Optional.empty();
      }
      var importing =
          VkImportMemoryHostPointerInfoEXT.calloc(stack)
              .sType$Default()
              .handleType(handleType)
              .pHostPointer(hostAddress);
      var flags =
          VkMemoryAllocateFlagsInfo.calloc(stack)
              .sType$Default()
              .flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT);
      var how =
          VkMemoryAllocateInfo.calloc(stack)
              .sType$Default()
              .pNext(flags)
              .pNext(importing)
              .allocationSize(bytes)
              .memoryTypeIndex(Integer.numberOfTrailingZeros(types));
      if (vkAllocateMemory(device, how, null, handle) != 0) {
        vkDestroyBuffer(device, buffer, null);
        return Optional.empty();
      }
      long memory = handle.get(0);
      if (vkBindBufferMemory(device, buffer, memory, 0) != 0) {
        vkDestroyBuffer(device, buffer, null);
        vkFreeMemory(device, memory, null);
        return Optional.empty();
      }
      return Optional.of(
          new Block(buffer, memory, true, address(stack, buffer), hostAddress, bytes));
    }
  }

  public void free(Block block) {
    if (block.imported()) {
      vkDestroyBuffer(device, block.handle(), null);
      vkFreeMemory(device, block.memory(), null);
    } else {
      vmaDestroyBuffer(allocator, block.handle(), block.memory());
      allocated.addAndGet(-block.bytes());
    }
  }

  private long address(MemoryStack stack, long buffer) {
    var info = VkBufferDeviceAddressInfo.calloc(stack).sType$Default().buffer(buffer);
    return vkGetBufferDeviceAddress(device, info);
  }

  /** Everything was freed before. */
  @Override
  public void close() {
    vmaDestroyAllocator(allocator);
  }
}
