// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Allocation;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** Turns a schedule and an allocation into launches, and these into a plan. */
final class Compiler implements Work.Places {
  private final CudaBackend backend;
  private final CudaDevice device;
  private final Graph graph;
  private final Schedule schedule;
  private final Allocation allocation;

  private Compiler(CudaBackend backend, Graph graph, Schedule schedule, Allocation allocation) {
    this.backend = backend;
    this.device = backend.device();
    this.graph = graph;
    this.schedule = schedule;
    this.allocation = allocation;
  }

  /** In the backend's context. */
  static CudaPlan compile(
      CudaBackend backend, Graph graph, Schedule schedule, Allocation allocation) {
    var compiler = new Compiler(backend, graph, schedule, allocation);
    return new CudaPlan(backend, compiler.work().launches());
  }

  private Work work() {
    Chip chip = Chip.of(device.gpu());
    Scratch scratch = Scratch.of(schedule.steps(), chip.processors());
    requireScratch(scratch.bytes());
    var work = new Work(device.gpu().modules(), chip, this, scratch, new Forms(graph));
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
  public boolean isStored(Tensor tensor) {
    return allocation.holds(tensor);
  }

  private void requireScratch(long bytes) {
    if (bytes == 0) {
      return;
    }
    Storage storage = scratchStorage();
    if (bytes > schedule.scratchBytes() || storage.offset() + bytes > storage.buffer().bytes()) {
      throw error(
          "%d bytes of scratch memory are needed, the schedule asked for %d and the buffer has %d"
              .formatted(bytes, schedule.scratchBytes(), storage.buffer().bytes()));
    }
  }

  @Override
  public long scratch() {
    return address(scratchStorage(), "scratch memory");
  }

  @Override
  public long counters() {
    return backend.counters();
  }

  private Storage scratchStorage() {
    return allocation
        .scratch()
        .orElseThrow(
            () ->
                error(
                    "the schedule asks for %d bytes of scratch memory, the allocation has none"
                        .formatted(schedule.scratchBytes())));
  }

  private ConsortException error(String message) {
    return ConsortException.of(ErrorCode.INVALID_ARGUMENT, message)
        .device(device)
        .operation("compile")
        .build();
  }
}
