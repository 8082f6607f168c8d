// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.opentest4j.TestAbortedException;

/** What tests make on devices; closes all of it, the last first. */
final class Lab implements AutoCloseable {
  private final Scope scope = new Scope();
  private final List<Backend> backends = new ArrayList<>();
  private final Arena arena = scope.add(Arena.ofShared());

  Backend backend(Device device) {
    Backend backend = scope.add(device.createBackend());
    backends.add(backend);
    return backend;
  }

  Event event(Device device) {
    return scope.add(device.createEvent());
  }

  <T extends AutoCloseable> T keep(T resource) {
    return scope.add(resource);
  }

  /** Memory for tensors that live as long as the lab. */
  Allocation place(Device device, Tensor... tensors) {
    return scope.add(device.bufferType().allocate(List.of(tensors)));
  }

  /** An F32 vector in memory of its own. */
  Storage vector(Device device, String name, long elements) {
    Tensor tensor = new GraphBuilder().input(name, DataType.F32, Shape.of(elements));
    return place(device, tensor).storage(tensor);
  }

  /** A plan whose leaves lie in {@code given}; the rest gets memory of its own. */
  Placed plan(Backend backend, Graph graph, Allocation... given) {
    refusal(backend.device(), graph)
        .ifPresent(
            reason -> {
              throw new TestAbortedException(reason);
            });
    Schedule schedule = backend.schedule(graph);
    Allocation all = Allocation.join(List.of(given));
    List<Tensor> missing = new ArrayList<>();
    graph.leaves().stream().filter(leaf -> !all.holds(leaf)).forEach(missing::add);
    schedule.stored(graph).stream().filter(node -> !all.holds(node)).forEach(missing::add);
    Allocation rest = place(backend.device(), missing.toArray(Tensor[]::new));
    Allocation whole = Allocation.join(List.of(all, rest));
    if (schedule.scratchBytes() > 0) {
      whole = whole.withScratch(scratch(backend.device(), schedule.scratchBytes()));
    }
    return new Placed(scope.add(backend.compile(graph, schedule, whole)), whole);
  }

  /** The first operation of a graph that a device does not support, and why. */
  static Optional<String> refusal(Device device, Graph graph) {
    return graph.nodes().stream()
        .filter(node -> !node.isView())
        .filter(node -> !device.supports(node).supported())
        .map(node -> "not supported: " + device.supports(node).reason())
        .findFirst();
  }

  Storage scratch(Device device, long bytes) {
    Tensor meaningless = new GraphBuilder().input("scratch", DataType.F32, Shape.of(0));
    return new Storage(meaningless, scope.add(device.bufferType().allocate(bytes)), 0);
  }

  /** A plan and where its tensors lie. */
  record Placed(Plan plan, Allocation allocation) {
    Storage at(Tensor tensor) {
      return allocation.storage(tensor);
    }
  }

  MemorySegment bytes(long count) {
    return arena.allocate(count, 64);
  }

  MemorySegment floats(float... values) {
    return bytes(4L * values.length).copyFrom(MemorySegment.ofArray(values));
  }

  /** The same float again and again. */
  MemorySegment filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return floats(values);
  }

  MemorySegment ints(int... values) {
    return bytes(4L * values.length).copyFrom(MemorySegment.ofArray(values));
  }

  static float[] floats(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Reads a whole F32 tensor; blocks. */
  float[] read(Backend backend, Storage storage) {
    MemorySegment to = bytes(storage.tensor().bytes());
    backend.get(storage, 0, to);
    backend.synchronize();
    return floats(to);
  }

  /** Waits for pending work first: nothing may be closed that a stream still uses. */
  @Override
  public void close() {
    try {
      backends.forEach(Backend::synchronize);
    } finally {
      scope.close();
    }
  }
}
