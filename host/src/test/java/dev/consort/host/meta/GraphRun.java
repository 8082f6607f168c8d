// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A graph compiled on a device, with memory of its own. */
final class GraphRun implements AutoCloseable {
  private final Graph graph;
  private final Backend backend;
  private final Allocation allocation;
  private final List<Buffer> scratch = new ArrayList<>();
  private final Plan plan;

  GraphRun(Device device, Graph graph) {
    this.graph = graph;
    this.backend = device.createBackend();
    Schedule schedule = backend.schedule(graph);
    List<Tensor> here = new ArrayList<>(graph.leaves());
    here.addAll(schedule.stored(graph));
    BufferType type = device.bufferType();
    allocation = type.allocate(here);
    Allocation all = allocation;
    if (schedule.scratchBytes() > 0) {
      scratch.add(type.allocate(schedule.scratchBytes()));
      all = all.withScratch(new Storage(here.getFirst(), scratch.getFirst(), 0));
    }
    plan = backend.compile(graph, schedule, all);
  }

  /** The outputs for these leaves, by name. */
  static Map<String, byte[]> once(Device device, Graph graph, Map<String, byte[]> leaves) {
    try (GraphRun run = new GraphRun(device, graph)) {
      return run.run(leaves);
    }
  }

  Backend backend() {
    return backend;
  }

  Allocation allocation() {
    return allocation;
  }

  Plan plan() {
    return plan;
  }

  Map<String, byte[]> run(Map<String, byte[]> leaves) {
    try (Arena arena = Arena.ofShared()) {
      for (Tensor leaf : graph.leaves()) {
        if (leaf.bytes() > 0) {
          MemorySegment bytes = arena.allocate(leaf.bytes(), 64);
          bytes.copyFrom(MemorySegment.ofArray(leaves.get(leaf.name())));
          backend.set(allocation.storage(leaf), 0, bytes);
        }
      }
      backend.submit(plan);
      Map<Tensor, MemorySegment> found = new java.util.LinkedHashMap<>();
      for (Tensor output : graph.outputs()) {
        MemorySegment bytes = arena.allocate(output.bytes(), 64);
        if (output.bytes() > 0) {
          backend.get(allocation.storage(output), 0, bytes);
        }
        found.put(output, bytes);
      }
      backend.synchronize();
      Map<String, byte[]> results = new TreeMap<>();
      found.forEach(
          (output, bytes) ->
              results.put(output.name(), bytes.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)));
      return results;
    }
  }

  @Override
  public void close() {
    plan.close();
    backend.close();
    scratch.forEach(Buffer::close);
    allocation.close();
  }
}
