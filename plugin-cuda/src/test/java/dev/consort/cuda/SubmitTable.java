// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.Comm;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints what a step like a token's costs the host on the first N devices: seven small inputs, an
 * event, a plan of some two hundred launches with sums in it, a read. {@code java -cp ...
 * dev.consort.cuda.SubmitTable N}
 */
final class SubmitTable {
  private static final int INPUTS = 7;
  private static final int WIDTH = 4096;
  private static final int SUMS = 64;
  private static final int STEPS = 4000;
  private static final List<String> PHASES = List.of("set", "record", "submit", "get", "wait");

  /** One device's part. */
  private record Member(
      Backend backend, Plan plan, List<Storage> inputs, Storage output, Event read) {}

  private SubmitTable() {}

  public static void main(String[] args) {
    List<Device> devices = TestDevices.atLeast(1).subList(0, Integer.parseInt(args[0]));
    List<Backend> backends = devices.stream().map(Device::createBackend).toList();
    Comm comm =
        devices
            .getFirst()
            .find(ProcAddresses.COMM_INIT)
            .orElseThrow()
            .init(backends, WirePolicy.EXACT)
            .orElseThrow();
    List<Member> members = new ArrayList<>();
    for (int rank = 0; rank < backends.size(); rank++) {
      members.add(member(backends.get(rank), comm, rank));
    }
    var type = devices.getFirst().find(ProcAddresses.HOST_BUFFER_TYPE).orElseThrow();
    try (Arena arena = Arena.ofShared();
        Buffer pinned = type.hostBufferType().allocate(4L * WIDTH)) {
      MemorySegment small = arena.allocate(8, 64);
      MemorySegment large = pinned.host().orElseThrow();
      long[] nanos = new long[PHASES.size()];
      for (int step = -STEPS; step < STEPS; step++) {
        if (step == 0) {
          nanos = new long[PHASES.size()];
        }
        run(members, small, large, nanos);
      }
      StringBuilder line =
          new StringBuilder("host us a step, %d devices:".formatted(members.size()));
      for (int i = 0; i < nanos.length; i++) {
        line.append("  %s %.1f".formatted(PHASES.get(i), nanos[i] / 1e3 / STEPS));
      }
      System.out.println(line);
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static Member member(Backend backend, Comm comm, int rank) {
    GraphBuilder builder = new GraphBuilder();
    List<Tensor> inputs = new ArrayList<>();
    Tensor x = builder.input("x", DataType.F32, Shape.of(WIDTH));
    inputs.add(x);
    for (int i = 1; i < INPUTS; i++) {
      Tensor input = builder.input("x" + i, DataType.F32, Shape.of(2));
      inputs.add(input);
      builder.output(builder.scale(input, 2));
    }
    for (int i = 0; i < SUMS; i++) {
      Tensor part = builder.scale(builder.scale(x, 0.1f), 0.1f);
      x = builder.add(new Operation.AllReduce(comm.member(rank)), part);
    }
    builder.output(x);
    var graph = builder.build();
    Schedule schedule = backend.schedule(graph);
    List<Tensor> stored = new ArrayList<>(graph.leaves());
    stored.addAll(schedule.stored(graph));
    Allocation places = backend.device().bufferType().allocate(stored);
    return new Member(
        backend,
        backend.compile(graph, schedule, places),
        inputs.stream().map(places::storage).toList(),
        places.storage(x),
        backend.device().createEvent());
  }

  private static void run(
      List<Member> members, MemorySegment small, MemorySegment large, long[] nanos) {
    long at = System.nanoTime();
    for (int i = 0; i < INPUTS; i++) {
      for (int m = 0; m < members.size(); m++) {
        Member member = members.get(m);
        member.backend.set(member.inputs.get(i), 0, i == 0 ? large : small);
      }
    }
    at = count(nanos, 0, at);
    for (int m = 0; m < members.size(); m++) {
      members.get(m).backend.record(members.get(m).read);
    }
    at = count(nanos, 1, at);
    for (int m = 0; m < members.size(); m++) {
      members.get(m).backend.submit(members.get(m).plan);
    }
    at = count(nanos, 2, at);
    members.getFirst().backend.get(members.getFirst().output, 0, large);
    at = count(nanos, 3, at);
    for (int m = 0; m < members.size(); m++) {
      members.get(m).backend.synchronize();
    }
    count(nanos, 4, at);
  }

  private static long count(long[] nanos, int phase, long since) {
    long now = System.nanoTime();
    nanos[phase] += now - since;
    return now;
  }
}
