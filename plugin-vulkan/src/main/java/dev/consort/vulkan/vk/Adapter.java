// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.EXTMemoryBudget.VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
import static org.lwjgl.vulkan.KHRCooperativeMatrix.VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
import static org.lwjgl.vulkan.VK13.*;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkExtensionProperties;
import org.lwjgl.vulkan.VkPhysicalDevice;
import org.lwjgl.vulkan.VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
import org.lwjgl.vulkan.VkPhysicalDeviceExternalMemoryHostPropertiesEXT;
import org.lwjgl.vulkan.VkPhysicalDeviceFeatures2;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryBudgetPropertiesEXT;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryProperties;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryProperties2;
import org.lwjgl.vulkan.VkPhysicalDeviceProperties2;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan11Properties;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Properties;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Properties;
import org.lwjgl.vulkan.VkQueueFamilyProperties;

/** A physical device and what it said about itself. Reading it starts nothing. */
public final class Adapter {
  /**
   * What the kernels choose by.
   *
   * @param subgroup lanes of a subgroup where it can't be chosen, else the preferred size
   * @param fixesSubgroup whether a pipeline may ask for a subgroup size and for full subgroups
   * @param halfMatrix whether 16x16x16 products of F16 matrices with an F32 sum are native
   */
  public record Limits(
      int subgroup,
      boolean fixesSubgroup,
      int invocations,
      int sharedBytes,
      long allocation,
      long importAlignment,
      int groupsX,
      int groupsY,
      int groupsZ,
      boolean halfMatrix) {}

  private final Instance instance;
  private final VkPhysicalDevice handle;
  private final Set<String> extensions;
  private final String name;
  private final String driver;
  private final int type;
  private final int apiVersion;
  private final String driverUuid;
  private final String deviceUuid;
  private final Limits limits;
  private final int queueFamily;
  private final int queues;
  private final String missing;

  Adapter(Instance instance, VkPhysicalDevice handle) {
    this.instance = instance;
    this.handle = handle;
    try (MemoryStack stack = Frame.push()) {
      extensions = extensions(stack);
      var host = VkPhysicalDeviceExternalMemoryHostPropertiesEXT.calloc(stack).sType$Default();
      var p13 = VkPhysicalDeviceVulkan13Properties.calloc(stack).sType$Default();
      var p12 = VkPhysicalDeviceVulkan12Properties.calloc(stack).sType$Default();
      var p11 = VkPhysicalDeviceVulkan11Properties.calloc(stack).sType$Default();
      var properties =
          VkPhysicalDeviceProperties2.calloc(stack).sType$Default().pNext(p11).pNext(p12);
      apiVersion = handle.getCapabilities().apiVersion;
      boolean current = apiVersion >= VK_API_VERSION_1_3;
      if (current) {
        properties.pNext(p13);
      }
      if (importsHostMemory()) {
        properties.pNext(host);
      }
      vkGetPhysicalDeviceProperties2(handle, properties);
      var p = properties.properties();
      name = p.deviceNameString();
      type = p.deviceType();
      driver = (p12.driverNameString() + " " + p12.driverInfoString()).strip();
      driverUuid = hex(p11.driverUUID());
      deviceUuid = hex(p11.deviceUUID());
      var matrix = VkPhysicalDeviceCooperativeMatrixFeaturesKHR.calloc(stack).sType$Default();
      var f13 = VkPhysicalDeviceVulkan13Features.calloc(stack).sType$Default();
      var f12 = VkPhysicalDeviceVulkan12Features.calloc(stack).sType$Default();
      var features = VkPhysicalDeviceFeatures2.calloc(stack).sType$Default().pNext(f12);
      if (current) {
        features.pNext(f13);
      }
      if (extensions.contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
        features.pNext(matrix);
      }
      vkGetPhysicalDeviceFeatures2(handle, features);
      missing = missing(current, f12, f13);
      boolean fixes =
          current
              && f13.subgroupSizeControl()
              && f13.computeFullSubgroups()
              && (p13.requiredSubgroupSizeStages() & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
      limits =
          new Limits(
              p11.subgroupSize(),
              fixes,
              p.limits().maxComputeWorkGroupInvocations(),
              p.limits().maxComputeSharedMemorySize(),
              Math.min(p11.maxMemoryAllocationSize(), current ? p13.maxBufferSize() : 1L << 30),
              Math.max(1, host.minImportedHostPointerAlignment()),
              p.limits().maxComputeWorkGroupCount(0),
              p.limits().maxComputeWorkGroupCount(1),
              p.limits().maxComputeWorkGroupCount(2),
              matrix.cooperativeMatrix()
                  && f12.shaderFloat16()
                  && f12.vulkanMemoryModel()
                  && fixes
                  && p11.subgroupSize() == 32);
      IntBuffer count = stack.mallocInt(1);
      vkGetPhysicalDeviceQueueFamilyProperties(handle, count, null);
      var families = VkQueueFamilyProperties.calloc(count.get(0), stack);
      vkGetPhysicalDeviceQueueFamilyProperties(handle, count, families);
      int chosen = -1;
      for (int i = count.get(0) - 1; i >= 0; i--) {
        if ((families.get(i).queueFlags() & VK_QUEUE_COMPUTE_BIT) != 0) {
          chosen = i;
        }
      }
      queueFamily = chosen;
      queues = chosen < 0 ? 0 : Math.min(8, families.get(chosen).queueCount());
    }
  }

  private static String missing(
      boolean current, VkPhysicalDeviceVulkan12Features f12, VkPhysicalDeviceVulkan13Features f13) {
    if (!current) {
      return "Vulkan 1.3";
    }
    if (!f12.bufferDeviceAddress()) {
      return "bufferDeviceAddress";
    }
    if (!f12.timelineSemaphore()) {
      return "timelineSemaphore";
    }
    return f13.synchronization2() ? "" : "synchronization2";
  }

  /** What the plugin needs and this device has not, or an empty string. */
  public String missing() {
    return missing.isEmpty() && queueFamily < 0 ? "a compute queue" : missing;
  }

  public String name() {
    return name;
  }

  public String driver() {
    return driver;
  }

  public boolean isSoftware() {
    return type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  }

  public boolean isIntegrated() {
    return type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  }

  /** Whether the device's memory is the host's. */
  public boolean sharesHostMemory() {
    return isSoftware() || isIntegrated();
  }

  /** Equal for adapters between which memory and semaphores may be shared. */
  public String identity() {
    return driverUuid + "/" + deviceUuid;
  }

  public Limits limits() {
    return limits;
  }

  public String apiVersion() {
    return VK_API_VERSION_MAJOR(apiVersion) + "." + VK_API_VERSION_MINOR(apiVersion);
  }

  public boolean importsHostMemory() {
    return has("VK_EXT_external_memory_host");
  }

  public boolean has(String extension) {
    return extensions.contains(extension);
  }

  int queueFamily() {
    return queueFamily;
  }

  int queues() {
    return queues;
  }

  Instance instance() {
    return instance;
  }

  VkPhysicalDevice handle() {
    return handle;
  }

  /** Bytes of the largest device-local heap: total, and free as the driver sees it or -1. */
  public long[] heap() {
    try (MemoryStack stack = Frame.push()) {
      var properties = VkPhysicalDeviceMemoryProperties2.calloc(stack).sType$Default();
      var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT.calloc(stack).sType$Default();
      boolean budgeted = has(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
      if (budgeted) {
        properties.pNext(budget);
      }
      vkGetPhysicalDeviceMemoryProperties2(handle, properties);
      VkPhysicalDeviceMemoryProperties memory = properties.memoryProperties();
      long total = 0;
      long free = -1;
      for (int i = 0; i < memory.memoryHeapCount(); i++) {
        var heap = memory.memoryHeaps(i);
        boolean local = (heap.flags() & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
        if (local && heap.size() > total) {
          total = heap.size();
          free = budgeted ? Math.max(0, budget.heapBudget(i) - budget.heapUsage(i)) : -1;
        }
      }
      return new long[] {total, free};
    }
  }

  private Set<String> extensions(MemoryStack stack) {
    IntBuffer count = stack.mallocInt(1);
    vkEnumerateDeviceExtensionProperties(handle, (String) null, count, null);
    Set<String> names = new HashSet<>();
    var list = VkExtensionProperties.calloc(Math.max(1, count.get(0)));
    try {
      vkEnumerateDeviceExtensionProperties(handle, (String) null, count, list);
      for (int i = 0; i < count.get(0); i++) {
        names.add(list.get(i).extensionNameString());
      }
    } finally {
      MemoryUtil.memFree(list);
    }
    return names;
  }

  private static String hex(ByteBuffer uuid) {
    byte[] bytes = new byte[uuid.remaining()];
    uuid.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
