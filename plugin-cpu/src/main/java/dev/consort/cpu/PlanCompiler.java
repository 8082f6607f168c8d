// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Allocation;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Schedules graphs and compiles them to plans. */
final class PlanCompiler {
  private PlanCompiler() {}

  static Schedule schedule(Graph graph, Packing packing) {
    List<List<Tensor>> groups = Fusion.groups(graph);
    // A group may read packed weights and others.
    long bytes =
        scratch(groups, Places.nowhere(packing)) + scratch(groups, Places.nowhere(Packing.NONE));
    return Schedule.sequential(groups, bytes);
  }

  private static long scratch(List<List<Tensor>> groups, Places places) {
    var scratch = new Scratch(0);
    var steps = new Steps();
    for (List<Tensor> group : groups) {
      if (!isReduce(group)) {
        new Lowering(steps, places, scratch).lower(group);
      } else if (group.size() == 2) {
        new Lowering(steps, places, scratch).term(group.getFirst(), View.of(group.getLast(), 0));
      }
    }
    return scratch.most();
  }

  static CpuPlan compile(
      CpuBackend backend, Graph graph, Schedule schedule, Allocation allocation) {
    Arena arena = Arena.ofShared();
    try {
      return new PlanWriter(backend, allocation, schedule, arena).write();
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static boolean isReduce(List<Tensor> group) {
    return group.getLast().operation() instanceof Operation.AllReduce;
  }

  /** Writes one plan. */
  private static final class PlanWriter {
    private final CpuBackend backend;
    private final Schedule schedule;
    private final Arena arena;
    private final Places places;
    private final Scratch scratch;
    private final List<CpuPlan.Segment> segments = new ArrayList<>();
    private Steps steps = new Steps();
    private long room;

    PlanWriter(CpuBackend backend, Allocation allocation, Schedule schedule, Arena arena) {
      this.backend = backend;
      this.schedule = schedule;
      this.arena = arena;
      this.places = Places.of(allocation, backend.packing());
      this.scratch = scratch(allocation);
    }

    private Scratch scratch(Allocation allocation) {
      if (schedule.scratchBytes() == 0) {
        return new Scratch(0);
      }
      return allocation
          .scratch()
          .map(at -> new Scratch(CpuBuffer.of(at.buffer()).address() + at.offset()))
          .orElseThrow(
              () ->
                  ConsortException.of(
                          ErrorCode.INVALID_ARGUMENT,
                          "found an allocation without scratch memory, expected %d bytes of it"
                              .formatted(schedule.scratchBytes()))
                      .device(backend.device())
                      .operation("compile")
                      .build());
    }

    CpuPlan write() {
      for (Schedule.Step step : schedule.steps()) {
        if (isReduce(step.nodes())) {
          reduce(step.nodes());
        } else {
          new Lowering(steps, places, scratch).lower(step.nodes());
        }
      }
      endSegment();
      if (scratch.most() > schedule.scratchBytes()) {
        throw ConsortException.of(
                ErrorCode.INVALID_ARGUMENT,
                "the plan needs %d bytes of scratch memory but its schedule asked for %d; compile with the schedule made for this graph"
                    .formatted(scratch.most(), schedule.scratchBytes()))
            .device(backend.device())
            .operation("compile")
            .build();
      }
      return new CpuPlan(backend, segments, room, arena);
    }

    private void endSegment() {
      if (!steps.isEmpty()) {
        segments.add(CpuPlan.Segment.compute(steps.write(arena).address(), steps.count()));
        room = Math.max(room, steps.roomBytes());
        steps = new Steps();
      }
    }

    private void reduce(List<Tensor> group) {
      Tensor node = group.getLast();
      Operation.AllReduce op = (Operation.AllReduce) node.operation();
      if (!(op.member() instanceof CpuCommMember member)) {
        throw ConsortException.of(
                ErrorCode.INVALID_ARGUMENT,
                "found a member of another plugin's comm, expected one that comm_init of this"
                    + " device made")
            .device(backend.device())
            .operation(op.label())
            .build();
      }
      View sum = View.of(node, places.address(node));
      long elements = node.shape().elements();
      if (group.size() == 1) {
        endSegment();
        long from = places.address(node.source(0));
        segments.add(CpuPlan.Segment.reduce(member, from, sum.address(), elements));
        return;
      }
      Optional<Step> product = new Lowering(steps, places, scratch).term(group.getFirst(), sum);
      endSegment();
      segments.add(
          product
              .map(this::alone)
              .map(step -> CpuPlan.Segment.reduceProduct(member, step, sum.address(), elements))
              .orElseGet(
                  () -> CpuPlan.Segment.reduce(member, sum.address(), sum.address(), elements)));
    }

    /** The address of a step that no segment holds. */
    private long alone(Step step) {
      MemorySegment memory = arena.allocate(StepLayout.STEP_BYTES, 64);
      step.barrier().write(memory);
      return memory.address();
    }
  }
}
