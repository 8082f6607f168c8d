// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.Gpu;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lwjgl.vulkan.VkCommandBuffer;

/**
 * What closed plans of a stream leave behind, until their submissions are done. Thread safe; makes
 * no garbage while there is none.
 */
final class RetiredPlans implements AutoCloseable {
  private record Retired(VkCommandBuffer commands, @Nullable Block tables, long value) {}

  private final Gpu gpu;
  private final QueueStream stream;
  private final HeldBack held;
  private final List<Retired> plans = new ArrayList<>();
  private boolean closed;

  RetiredPlans(Gpu gpu, QueueStream stream, HeldBack held) {
    this.gpu = gpu;
    this.stream = stream;
    this.held = held;
  }

  /** Frees a plan's commands and constant memory once its submissions are done. */
  void add(VkCommandBuffer commands, @Nullable Block tables) {
    synchronized (plans) {
      if (closed) {
        free(tables);
        return;
      }
      long value = held.isActive() ? Long.MAX_VALUE : stream.submitted();
      plans.add(new Retired(commands, tables, value));
    }
    collect();
  }

  /** Frees what is done. */
  void collect() {
    if (plans.isEmpty()) {
      return;
    }
    synchronized (plans) {
      boolean idle = !held.isActive() && stream.isIdle();
      plans.removeIf(plan -> isFree(plan, idle) && free(plan));
    }
  }

  private boolean isFree(Retired plan, boolean idle) {
    return idle || (plan.value() != Long.MAX_VALUE && stream.isDone(plan.value()));
  }

  private boolean free(Retired plan) {
    stream.pool().free(plan.commands());
    free(plan.tables());
    return true;
  }

  private void free(@Nullable Block tables) {
    if (tables != null) {
      gpu.heap().free(tables);
    }
  }

  /** Frees all; the stream is at rest, and its pool is closed next with all commands of it. */
  @Override
  public void close() {
    synchronized (plans) {
      plans.forEach(this::free);
      plans.clear();
      closed = true;
    }
  }
}
