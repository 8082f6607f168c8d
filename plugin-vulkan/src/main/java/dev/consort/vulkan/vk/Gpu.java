// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.EXTExternalMemoryHost.*;
import static org.lwjgl.vulkan.KHRCooperativeMatrix.VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
import static org.lwjgl.vulkan.VK13.*;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkDeviceCreateInfo;
import org.lwjgl.vulkan.VkDeviceQueueCreateInfo;
import org.lwjgl.vulkan.VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
import org.lwjgl.vulkan.VkPhysicalDeviceFeatures2;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Features;
import org.lwjgl.vulkan.VkQueue;

/** A logical device: its queues, memory and pipelines. Thread safe. */
public final class Gpu implements AutoCloseable {
  private final Adapter adapter;
  private final VkDevice device;
  private final List<VkQueue> queues;
  private final AtomicInteger nextQueue = new AtomicInteger();
  private final Heap heap;
  private final Pipelines pipelines;
  private final Timelines timelines;
  private final Calls calls;

  /** Opens a device. On a thread of its own, since LWJGL's stack is a thread local; blocks. */
  public static Gpu open(Adapter adapter) {
    FutureTask<Gpu> opening = new FutureTask<>(() -> new Gpu(adapter));
    Thread.ofPlatform().daemon().name("consort opens " + adapter.name()).start(opening);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return opening.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof VulkanError error) {
        throw error;
      }
      throw new IllegalStateException("a device can't be opened: " + e.getCause(), e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Gpu(Adapter adapter) {
    this.adapter = adapter;
    try (MemoryStack stack = Frame.push()) {
      device = createDevice(stack);
      List<VkQueue> made = new ArrayList<>();
      PointerBuffer handle = stack.mallocPointer(1);
      for (int i = 0; i < adapter.queues(); i++) {
        vkGetDeviceQueue(device, adapter.queueFamily(), i, handle);
        made.add(new VkQueue(handle.get(0), device));
      }
      queues = List.copyOf(made);
    }
    heap = new Heap(adapter, device);
    pipelines = new Pipelines(device, adapter.limits());
    timelines = new Timelines(device);
    calls = new Calls(device);
  }

  private VkDevice createDevice(MemoryStack stack) {
    var limits = adapter.limits();
    var queueInfo = VkDeviceQueueCreateInfo.calloc(1, stack);
    var priorities = stack.mallocFloat(adapter.queues());
    for (int i = 0; i < adapter.queues(); i++) {
      priorities.put(i, 1f);
    }
    queueInfo
        .get(0)
        .sType$Default()
        .queueFamilyIndex(adapter.queueFamily())
        .pQueuePriorities(priorities);
    var f13 =
        VkPhysicalDeviceVulkan13Features.calloc(stack)
            .sType$Default()
            .synchronization2(true)
            .subgroupSizeControl(limits.fixesSubgroup())
            .computeFullSubgroups(limits.fixesSubgroup());
    var f12 =
        VkPhysicalDeviceVulkan12Features.calloc(stack)
            .sType$Default()
            .bufferDeviceAddress(true)
            .timelineSemaphore(true)
            .shaderFloat16(limits.halfMatrix())
            .vulkanMemoryModel(limits.halfMatrix());
    // Each call puts one structure, without what it chains, at the head of the chain.
    var info =
        VkDeviceCreateInfo.calloc(stack)
            .sType$Default()
            .pNext(VkPhysicalDeviceFeatures2.calloc(stack).sType$Default())
            .pNext(f12)
            .pNext(f13);
    List<String> wanted = new ArrayList<>();
    if (adapter.importsHostMemory()) {
      wanted.add(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    }
    if (limits.halfMatrix()) {
      wanted.add(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
      info.pNext(
          VkPhysicalDeviceCooperativeMatrixFeaturesKHR.calloc(stack)
              .sType$Default()
              .cooperativeMatrix(true));
    }
    PointerBuffer names = stack.mallocPointer(wanted.size());
    for (String name : wanted) {
      names.put(stack.UTF8(name));
    }
    names.flip();
    info.pQueueCreateInfos(queueInfo).ppEnabledExtensionNames(names);
    PointerBuffer handle = stack.mallocPointer(1);
    VulkanError.check("vkCreateDevice", vkCreateDevice(adapter.handle(), info, null, handle));
    return new VkDevice(handle.get(0), adapter.handle(), info);
  }

  public Adapter adapter() {
    return adapter;
  }

  public VkDevice device() {
    return device;
  }

  public Pipelines pipelines() {
    return pipelines;
  }

  /** What is called for every token. */
  public Calls calls() {
    return calls;
  }

  public Timelines timelines() {
    return timelines;
  }

  public int queueFamily() {
    return adapter.queueFamily();
  }

  /** A queue for a new stream; streams share queues in turn. Lock it while submitting. */
  public VkQueue nextQueue() {
    return queues.get(Math.floorMod(nextQueue.getAndIncrement(), queues.size()));
  }

  public Heap heap() {
    return heap;
  }

  @Override
  public void close() {
    vkDeviceWaitIdle(device);
    timelines.close();
    pipelines.close();
    heap.close();
    vkDestroyDevice(device, null);
  }
}
