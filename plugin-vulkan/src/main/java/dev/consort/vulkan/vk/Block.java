// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

/**
 * A Vulkan buffer with its memory.
 *
 * @param handle the VkBuffer
 * @param memory the VmaAllocation, or the VkDeviceMemory of an import
 * @param imported whether the memory is the caller's
 * @param address the device address
 * @param mapped the host address, or 0
 */
public record Block(
    long handle, long memory, boolean imported, long address, long mapped, long bytes) {}
