// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Allocation;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** Turns a schedule and an allocation into launches, and these into a plan. */
final class Compiler implements Work.Places {
  private final CudaDevice device;
  private final Schedule schedule;
  private final Allocation allocation;

  private Compiler(CudaDevice device, Schedule schedule, Allocation allocation) {
    this.device = device;
    this.schedule = schedule;
    this.allocation = allocation;
  }

  /** In the backend's context. */
  static CudaPlan compile(CudaBackend backend, Schedule schedule, Allocation allocation) {
    var compiler = new Compiler(backend.device(), schedule, allocation);
    return new CudaPlan(backend, compiler.work().launches());
  }

  private Work work() {
    var work = new Work(device.gpu().modules(), device.gpu().processors(), this);
    for (Schedule.Step step : schedule.steps()) {
      for (Tensor node : step.nodes()) {
        Support support = CudaKernels.supports(node);
        if (!support.supported()) {
          throw ConsortException.of(ErrorCode.UNSUPPORTED, support.reason())
              .device(device)
              .operation(node.operation().label())
              .build();
        }
      }
      CudaKernels.emit(work, step);
    }
    return work;
  }

  @Override
  public long address(Tensor tensor) {
    Storage storage = allocation.storage(tensor);
    return address(storage, tensor.toString());
  }

  private long address(Storage storage, String what) {
    if (storage.buffer() instanceof CudaBuffers.Piece piece
        && (piece.owner() == device || piece.isForHost())
        && !piece.isClosed()) {
      return piece.address() + storage.offset();
    }
    throw error(
        "%s lies in %s, which is closed or not this device's"
            .formatted(what, storage.buffer().type().name()));
  }

  @Override
  public long scratch(long bytes) {
    Storage storage =
        allocation
            .scratch()
            .orElseThrow(
                () ->
                    error(
                        "the schedule asks for %d bytes of scratch memory, the allocation has none"
                            .formatted(schedule.scratchBytes())));
    if (bytes > schedule.scratchBytes() || storage.offset() + bytes > storage.buffer().bytes()) {
      throw error(
          "%d bytes of scratch memory are needed, the schedule asked for %d and the buffer has %d"
              .formatted(bytes, schedule.scratchBytes(), storage.buffer().bytes()));
    }
    return address(storage, "scratch memory");
  }

  private ConsortException error(String message) {
    return ConsortException.of(ErrorCode.INVALID_ARGUMENT, message)
        .device(device)
        .operation("compile")
        .build();
  }
}
