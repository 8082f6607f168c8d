// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import static org.lwjgl.vulkan.VK13.*;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkComputePipelineCreateInfo;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkPipelineLayoutCreateInfo;
import org.lwjgl.vulkan.VkPipelineShaderStageRequiredSubgroupSizeCreateInfo;
import org.lwjgl.vulkan.VkPushConstantRange;
import org.lwjgl.vulkan.VkShaderModuleCreateInfo;
import org.lwjgl.vulkan.VkSpecializationInfo;
import org.lwjgl.vulkan.VkSpecializationMapEntry;

/**
 * Compute pipelines by shader and specialization constants, made at first use. All share one
 * layout: 128 bytes of push constants and no descriptors. Thread safe.
 */
public final class Pipelines implements AutoCloseable {
  /** Every implementation has at least this many bytes of push constants. */
  public static final int PUSH_BYTES = 128;

  private final VkDevice device;
  private final Adapter.Limits limits;
  private final long layout;
  private final long cache;

  /**
   * By the text of shader and constants: the JDK softly keeps the class of the record whose {@code
   * equals} it linked last, and with it a plugin's class loader.
   */
  private final Map<String, Long> pipelines = new HashMap<>();

  private final Map<String, Long> modules = new HashMap<>();

  Pipelines(VkDevice device, Adapter.Limits limits) {
    this.device = device;
    this.limits = limits;
    try (MemoryStack stack = Frame.push()) {
      var range = VkPushConstantRange.calloc(1, stack);
      range.get(0).stageFlags(VK_SHADER_STAGE_COMPUTE_BIT).size(PUSH_BYTES);
      var info =
          VkPipelineLayoutCreateInfo.calloc(stack).sType$Default().pPushConstantRanges(range);
      LongBuffer handle = stack.mallocLong(1);
      VulkanError.check(
          "vkCreatePipelineLayout", vkCreatePipelineLayout(device, info, null, handle));
      layout = handle.get(0);
      var cacheInfo = org.lwjgl.vulkan.VkPipelineCacheCreateInfo.calloc(stack).sType$Default();
      VulkanError.check(
          "vkCreatePipelineCache", vkCreatePipelineCache(device, cacheInfo, null, handle));
      cache = handle.get(0);
    }
  }

  public long layout() {
    return layout;
  }

  /**
   * The pipeline of a shader.
   *
   * @param constants specialization constants 0, 1, ..; the first is the workgroup's size
   */
  public synchronized long get(String shader, int... constants) {
    String key = shader + Arrays.toString(constants);
    Long known = pipelines.get(key);
    if (known == null) {
      known = create(shader, constants);
      pipelines.put(key, known);
    }
    return known;
  }

  private long create(String shader, int[] constants) {
    long module = modules.computeIfAbsent(shader, this::load);
    try (MemoryStack stack = Frame.push()) {
      var entries = VkSpecializationMapEntry.calloc(constants.length, stack);
      ByteBuffer data = stack.malloc(constants.length * 4);
      for (int i = 0; i < constants.length; i++) {
        entries.get(i).constantID(i).offset(i * 4).size(4);
        data.putInt(i * 4, constants[i]);
      }
      var constant = VkSpecializationInfo.calloc(stack).pMapEntries(entries).pData(data);
      var info = VkComputePipelineCreateInfo.calloc(1, stack);
      info.get(0).sType$Default().layout(layout);
      var stage =
          info.get(0)
              .stage()
              .sType$Default()
              .stage(VK_SHADER_STAGE_COMPUTE_BIT)
              .module(module)
              .pName(stack.UTF8("main"))
              .pSpecializationInfo(constant);
      if (limits.fixesSubgroup() && constants[0] % limits.subgroup() == 0) {
        stage
            .flags(VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT)
            .pNext(
                VkPipelineShaderStageRequiredSubgroupSizeCreateInfo.calloc(stack)
                    .sType$Default()
                    .requiredSubgroupSize(limits.subgroup()));
      }
      LongBuffer handle = stack.mallocLong(1);
      VulkanError.check(
          "vkCreateComputePipelines of " + shader,
          vkCreateComputePipelines(device, cache, info, null, handle));
      return handle.get(0);
    }
  }

  private long load(String shader) {
    byte[] bytes;
    String path = "/dev/consort/vulkan/shaders/" + shader + ".spv";
    try (InputStream in = Pipelines.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("the plugin's JAR has no " + path);
      }
      bytes = in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException("reading " + path + ": " + e.getMessage(), e);
    }
    ByteBuffer code = MemoryUtil.memAlloc(bytes.length).put(bytes).flip();
    try (MemoryStack stack = Frame.push()) {
      var info = VkShaderModuleCreateInfo.calloc(stack).sType$Default().pCode(code);
      LongBuffer handle = stack.mallocLong(1);
      VulkanError.check("vkCreateShaderModule", vkCreateShaderModule(device, info, null, handle));
      return handle.get(0);
    } finally {
      MemoryUtil.memFree(code);
    }
  }

  @Override
  public synchronized void close() {
    pipelines.values().forEach(pipeline -> vkDestroyPipeline(device, pipeline, null));
    modules.values().forEach(module -> vkDestroyShaderModule(device, module, null));
    vkDestroyPipelineCache(device, cache, null);
    vkDestroyPipelineLayout(device, layout, null);
    pipelines.clear();
    modules.clear();
  }
}
