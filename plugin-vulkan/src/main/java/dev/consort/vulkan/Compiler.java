// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Allocation;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.Gpu;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lwjgl.system.MemoryUtil;

/** Turns a schedule and an allocation into dispatches, and these into a plan. */
final class Compiler implements Work.Places {
  private final VulkanBackend backend;
  private final VulkanDevice device;
  private final Schedule schedule;
  private final Allocation allocation;
  private final Map<Operation.Rope, Place> angles = new HashMap<>();

  private Compiler(VulkanBackend backend, Schedule schedule, Allocation allocation) {
    this.backend = backend;
    this.device = (VulkanDevice) backend.device();
    this.schedule = schedule;
    this.allocation = allocation;
  }

  static VulkanPlan compile(VulkanBackend backend, Schedule schedule, Allocation allocation) {
    return new Compiler(backend, schedule, allocation).plan();
  }

  private VulkanPlan plan() {
    Gpu gpu = device.gpu();
    @Nullable Block tables = tables();
    try {
      var work = new Work(device.adapter().limits(), device.tuning(), gpu.pipelines(), this);
      for (Schedule.Step step : schedule.steps()) {
        var support = VulkanKernels.supports(step.last());
        if (!support.supported()) {
          throw ConsortException.of(ErrorCode.UNSUPPORTED, support.reason())
              .device(device)
              .operation(step.last().operation().label())
              .build();
        }
        VulkanKernels.emit(work, step);
      }
      return VulkanPlan.record(
          backend, backend.stream().pool(), gpu.pipelines().layout(), work.dispatches(), tables);
    } catch (RuntimeException | Error e) {
      if (tables != null) {
        gpu.heap().free(tables);
      }
      throw e;
    }
  }

  /** The rope operations' angles, in memory of the plan's own. */
  private @Nullable Block tables() {
    Map<Operation.Rope, float[]> made = new HashMap<>();
    long bytes = 0;
    for (Schedule.Step step : schedule.steps()) {
      if (step.last().operation() instanceof Operation.Rope rope && !made.containsKey(rope)) {
        float[] values = RopeTable.angles(rope);
        made.put(rope, values);
        bytes += (values.length * 4L + 15) & -16;
      }
    }
    if (bytes == 0) {
      return null;
    }
    Block block = device.gpu().heap().allocate(bytes, false);
    long staged = MemoryUtil.nmemAllocChecked(bytes);
    try {
      long offset = 0;
      for (var entry : made.entrySet()) {
        float[] values = entry.getValue();
        for (int i = 0; i < values.length; i++) {
          MemoryUtil.memPutFloat(staged + offset + i * 4L, values[i]);
        }
        angles.put(entry.getKey(), new Place(block.address() + offset, values.length * 4L));
        offset += (values.length * 4L + 15) & -16;
      }
      if (block.mapped() != 0) {
        MemoryUtil.memCopy(staged, block.mapped(), bytes);
      } else {
        backend.stream().write(block, 0, staged, bytes);
      }
    } finally {
      MemoryUtil.nmemFree(staged);
    }
    return block;
  }

  @Override
  public long address(Tensor tensor) {
    Storage storage = allocation.storage(tensor);
    return piece(storage, tensor).open().address() + storage.offset();
  }

  private VulkanBuffers.Piece piece(Storage storage, Tensor tensor) {
    if (storage.buffer() instanceof VulkanBuffers.Piece piece && piece.owner() == device) {
      return piece;
    }
    throw ConsortException.of(
            ErrorCode.INVALID_ARGUMENT,
            "%s lies in %s, which is not this device's"
                .formatted(tensor, storage.buffer().type().name()))
        .device(device)
        .operation("compile")
        .build();
  }

  @Override
  public Place scratch(long bytes) {
    Storage storage =
        allocation
            .scratch()
            .orElseThrow(
                () ->
                    ConsortException.of(
                            ErrorCode.INVALID_ARGUMENT,
                            "the schedule asks for %d bytes of scratch memory, the allocation has none"
                                .formatted(schedule.scratchBytes()))
                        .device(device)
                        .operation("compile")
                        .build());
    if (storage.offset() + bytes > storage.buffer().bytes()) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "%d bytes of scratch memory are needed, the buffer has %d from offset %d on"
                  .formatted(bytes, storage.buffer().bytes(), storage.offset()))
          .device(device)
          .operation("compile")
          .build();
    }
    long address = piece(storage, storage.tensor()).open().address() + storage.offset();
    return new Place(address, bytes);
  }

  @Override
  public Place angles(Operation.Rope rope) {
    return angles.get(rope);
  }
}
