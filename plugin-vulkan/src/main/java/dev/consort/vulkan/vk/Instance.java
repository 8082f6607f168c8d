// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.VK12.*;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VK;
import org.lwjgl.vulkan.VkApplicationInfo;
import org.lwjgl.vulkan.VkInstance;
import org.lwjgl.vulkan.VkInstanceCreateInfo;
import org.lwjgl.vulkan.VkPhysicalDevice;

/**
 * The Vulkan loader and what it found. Closed before the process ends: NVIDIA's driver crashes a
 * JVM that leaves its instance open.
 */
public final class Instance implements AutoCloseable {
  /** The loader or every driver is missing; the message says which. */
  public static final class Unavailable extends Exception {
    private static final long serialVersionUID = 1L;

    Unavailable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private final VkInstance instance;
  private final List<Adapter> adapters;
  private boolean closed;

  private Instance(VkInstance instance) {
    this.instance = instance;
    this.adapters = enumerate(instance);
  }

  /**
   * Loads the Vulkan loader and asks it for its devices.
   *
   * @param natives a directory of this plugin's own for LWJGL's libraries
   */
  public static Instance open(Path natives) throws Unavailable {
    try {
      Configuration.SHARED_LIBRARY_EXTRACT_PATH.set(natives.toString());
      // A missing loader is no news for the console; the exception says it.
      Configuration.DEBUG_STREAM.set(new PrintStream(OutputStream.nullOutputStream()));
      VK.getFunctionProvider();
    } catch (LinkageError e) {
      throw new Unavailable("no Vulkan loader was found (libvulkan.so.1, vulkan-1.dll)", e);
    }
    try {
      return new Instance(create());
    } catch (VulkanError e) {
      throw new Unavailable("the Vulkan loader has no driver that works: " + e.getMessage(), e);
    }
  }

  public List<Adapter> adapters() {
    return adapters;
  }

  VkInstance handle() {
    return instance;
  }

  private static VkInstance create() {
    try (MemoryStack stack = Frame.push()) {
      var application =
          VkApplicationInfo.calloc(stack)
              .sType$Default()
              .pApplicationName(stack.UTF8("consort"))
              .apiVersion(
                  VK.getInstanceVersionSupported() >= VK_API_VERSION_1_2
                      ? VK_MAKE_API_VERSION(0, 1, 3, 0)
                      : VK_API_VERSION_1_0);
      var info = VkInstanceCreateInfo.calloc(stack).sType$Default().pApplicationInfo(application);
      PointerBuffer handle = stack.mallocPointer(1);
      VulkanError.check("vkCreateInstance", vkCreateInstance(info, null, handle));
      return new VkInstance(handle.get(0), info);
    }
  }

  private List<Adapter> enumerate(VkInstance of) {
    try (MemoryStack stack = Frame.push()) {
      IntBuffer count = stack.mallocInt(1);
      VulkanError.check("vkEnumeratePhysicalDevices", vkEnumeratePhysicalDevices(of, count, null));
      PointerBuffer handles = stack.mallocPointer(Math.max(1, count.get(0)));
      VulkanError.check(
          "vkEnumeratePhysicalDevices", vkEnumeratePhysicalDevices(of, count, handles));
      List<Adapter> found = new ArrayList<>();
      for (int i = 0; i < count.get(0); i++) {
        found.add(new Adapter(this, new VkPhysicalDevice(handles.get(i), of)));
      }
      return List.copyOf(found);
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      vkDestroyInstance(instance, null);
    }
  }
}
