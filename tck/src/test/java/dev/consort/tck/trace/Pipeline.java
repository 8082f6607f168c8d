// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

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
import dev.consort.tck.reference.ReferenceDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Two traced streams on two devices with a tensor each, to be used well or badly. */
final class Pipeline implements AutoCloseable {
  static final long BYTES = 256;

  final Trace trace;
  final Device leftDevice;
  final Device rightDevice;
  final Backend left;
  final Backend right;
  final Storage a;
  final Storage b;
  final Event ready;
  private final Arena arena = Arena.ofShared();
  private final List<AutoCloseable> open = new ArrayList<>();

  Pipeline() {
    this(Trace.HostOrder.ALL_CALLS);
  }

  Pipeline(Trace.HostOrder order) {
    trace = new Trace(order);
    leftDevice = new TracingDevice(new ReferenceDevice(0), trace);
    rightDevice = new TracingDevice(new ReferenceDevice(1), trace);
    left = leftDevice.createBackend();
    right = rightDevice.createBackend();
    a = vector(leftDevice, "a");
    b = vector(rightDevice, "b");
    ready = leftDevice.createEvent();
  }

  Storage vector(Device device, String name) {
    Tensor tensor = new GraphBuilder().input(name, DataType.F32, Shape.of(BYTES / 4));
    Allocation allocation = device.bufferType().allocate(List.of(tensor));
    open.add(allocation);
    return allocation.storage(tensor);
  }

  /** A plan that reads the place and writes another. */
  Plan doubling(Backend backend, Storage of) {
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input(of.tensor().name(), DataType.F32, Shape.of(BYTES / 4));
    Tensor y = builder.output(builder.scale(x, 2));
    Graph graph = builder.build();
    Schedule schedule = backend.schedule(graph);
    Allocation own = backend.device().bufferType().allocate(List.of(y));
    open.add(own);
    Allocation given = Allocation.of(List.of(of), List.of());
    return backend.compile(graph, schedule, Allocation.join(List.of(given, own)));
  }

  MemorySegment host() {
    return arena.allocate(BYTES, 64);
  }

  List<Conflict> conflicts() {
    left.synchronize();
    right.synchronize();
    return HappensBeforeChecker.check(trace);
  }

  @Override
  public void close() throws Exception {
    left.close();
    right.close();
    for (AutoCloseable one : open) {
      one.close();
    }
    arena.close();
  }
}
