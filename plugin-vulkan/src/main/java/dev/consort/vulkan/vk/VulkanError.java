// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.VK12.*;

/** A Vulkan call that did not return success. */
public final class VulkanError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int result;
  private final String call;

  public VulkanError(String call, int result) {
    super(call + " returned " + name(result));
    this.call = call;
    this.result = result;
  }

  public String call() {
    return call;
  }

  public int result() {
    return result;
  }

  public boolean isOutOfMemory() {
    return result == VK_ERROR_OUT_OF_DEVICE_MEMORY
        || result == VK_ERROR_OUT_OF_HOST_MEMORY
        || result == VK_ERROR_OUT_OF_POOL_MEMORY;
  }

  /** Throws if {@code result} is an error; timeouts and other successes pass. */
  public static void check(String call, int result) {
    if (result < 0) {
      throw new VulkanError(call, result);
    }
  }

  private static String name(int result) {
    return switch (result) {
      case VK_ERROR_OUT_OF_HOST_MEMORY -> "VK_ERROR_OUT_OF_HOST_MEMORY";
      case VK_ERROR_OUT_OF_DEVICE_MEMORY -> "VK_ERROR_OUT_OF_DEVICE_MEMORY";
      case VK_ERROR_INITIALIZATION_FAILED -> "VK_ERROR_INITIALIZATION_FAILED";
      case VK_ERROR_DEVICE_LOST -> "VK_ERROR_DEVICE_LOST";
      case VK_ERROR_MEMORY_MAP_FAILED -> "VK_ERROR_MEMORY_MAP_FAILED";
      case VK_ERROR_LAYER_NOT_PRESENT -> "VK_ERROR_LAYER_NOT_PRESENT";
      case VK_ERROR_EXTENSION_NOT_PRESENT -> "VK_ERROR_EXTENSION_NOT_PRESENT";
      case VK_ERROR_FEATURE_NOT_PRESENT -> "VK_ERROR_FEATURE_NOT_PRESENT";
      case VK_ERROR_INCOMPATIBLE_DRIVER -> "VK_ERROR_INCOMPATIBLE_DRIVER";
      case VK_ERROR_TOO_MANY_OBJECTS -> "VK_ERROR_TOO_MANY_OBJECTS";
      case VK_ERROR_INVALID_EXTERNAL_HANDLE -> "VK_ERROR_INVALID_EXTERNAL_HANDLE";
      default -> "VkResult " + result;
    };
  }
}
