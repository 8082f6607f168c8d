// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.lwjgl.vulkan.VK13.*;

import dev.consort.spi.BasePlan;
import dev.consort.vulkan.vk.Block;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lwjgl.vulkan.VkCommandBuffer;

/** A recorded command buffer, submitted as often as the plan is. */
final class VulkanPlan extends BasePlan {
  private final VulkanBackend stream;
  private final VkCommandBuffer commands;
  private final @Nullable Block tables;
  private final int dispatches;
  private final int barriers;
  private boolean released;

  private VulkanPlan(
      VulkanBackend backend,
      VkCommandBuffer commands,
      @Nullable Block tables,
      int dispatches,
      int barriers) {
    super(backend);
    this.stream = backend;
    this.commands = commands;
    this.tables = tables;
    this.dispatches = dispatches;
    this.barriers = barriers;
  }

  /**
   * Records the dispatches in order, with a barrier where one must see what one since the last
   * barrier wrote, or must not overtake it.
   *
   * @param tables constant memory that the plan frees, if it has some
   */
  static VulkanPlan record(
      VulkanBackend backend,
      Commands pool,
      long layout,
      List<Dispatch> dispatches,
      @Nullable Block tables) {
    VkCommandBuffer commands = pool.allocate();
    pool.beginOften(commands);
    Hazards hazards = new Hazards();
    int barriers = 0;
    long pipeline = 0;
    for (Dispatch dispatch : dispatches) {
      if (conflicts(hazards, dispatch)) {
        pool.computeBarrier(commands);
        hazards.clear();
        barriers++;
      }
      dispatch.reads().forEach(place -> hazards.add(place.address(), place.bytes(), false));
      dispatch.writes().forEach(place -> hazards.add(place.address(), place.bytes(), true));
      if (dispatch.pipeline() != pipeline) {
        pipeline = dispatch.pipeline();
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
      }
      vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, dispatch.push());
      vkCmdDispatch(commands, (int) dispatch.x(), (int) dispatch.y(), (int) dispatch.z());
    }
    pool.end(commands);
    return new VulkanPlan(backend, commands, tables, dispatches.size(), barriers);
  }

  private static boolean conflicts(Hazards hazards, Dispatch dispatch) {
    for (Place place : dispatch.reads()) {
      if (hazards.conflicts(place.address(), place.bytes(), false)) {
        return true;
      }
    }
    for (Place place : dispatch.writes()) {
      if (hazards.conflicts(place.address(), place.bytes(), true)) {
        return true;
      }
    }
    return false;
  }

  VkCommandBuffer commands() {
    return commands;
  }

  int dispatches() {
    return dispatches;
  }

  int barriers() {
    return barriers;
  }

  @Override
  public void close() {
    super.close();
    if (!released) {
      released = true;
      stream.release(commands, tables);
    }
  }
}
