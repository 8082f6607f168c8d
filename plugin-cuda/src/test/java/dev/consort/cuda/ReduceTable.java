// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints how long a sum over the first N devices takes inside plans, from 4 KiB to 256 MiB, as F32
 * and BF16: as the comm chooses its way, then each way that has room for it; and how long a token's
 * sum takes with the addition, the norm and the weight behind it. {@code java -cp ...
 * dev.consort.cuda.ReduceTable N}
 */
final class ReduceTable {
  private static final int ROUNDS = 6;
  private static final int MOST_IN_PACKETS = 2 << 20;
  private static final String MEASURED = "measured";

  /** A plan of so many sums, each of what the one before gave. */
  private interface Chain {
    Plan plan(Backend member, CommMember place, int sums);
  }

  private ReduceTable() {}

  public static void main(String[] args) {
    int members = Integer.parseInt(args[0]);
    for (WirePolicy wire : List.of(WirePolicy.EXACT, new WirePolicy(0))) {
      System.out.printf("%s on the wire, %d members, us%n", wire.wire(1), members);
      table(MEASURED, members, wire, 256 << 20);
      for (Way way : Way.values()) {
        int most = way.hasPackets() ? MOST_IN_PACKETS : 64 << 20;
        table(way.label(), members, wire, most);
      }
      for (int row : new int[] {4096, 8192}) {
        List<Device> devices = TestDevices.with("reduce", MEASURED, members).subList(0, members);
        double micros = nanos(devices, wire, norms(row), 50) / 1e3;
        System.out.printf("with addition and norm, %d elements: %.1f%n", row, micros);
      }
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void table(String way, int members, WirePolicy wire, int most) {
    List<Device> devices = TestDevices.with("reduce", way, members).subList(0, members);
    StringBuilder line = new StringBuilder("%-17s".formatted(way));
    for (int bytes = 4096; bytes <= most; bytes *= 4) {
      int sums = bytes <= 1 << 20 ? 50 : bytes <= 16 << 20 ? 10 : 4;
      double micros = nanos(devices, wire, sums(bytes / 4), sums) / 1e3;
      line.append("  %dK %.1f".formatted(bytes >> 10, micros));
    }
    System.out.println(line);
  }

  /** Of one sum, in the best of some rounds. */
  private static double nanos(List<Device> devices, WirePolicy wire, Chain chain, int sums) {
    List<Backend> members = devices.stream().map(Device::createBackend).toList();
    Comm comm =
        devices
            .getFirst()
            .find(ProcAddresses.COMM_INIT)
            .orElseThrow()
            .init(members, wire)
            .orElseThrow();
    List<Plan> once = new ArrayList<>();
    List<Plan> twice = new ArrayList<>();
    for (int rank = 0; rank < members.size(); rank++) {
      once.add(chain.plan(members.get(rank), comm.member(rank), sums));
      twice.add(chain.plan(members.get(rank), comm.member(rank), 2 * sums));
    }
    double best = Double.MAX_VALUE;
    double bestTwice = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      best = Math.min(best, run(members, once));
      bestTwice = Math.min(bestTwice, run(members, twice));
    }
    once.forEach(Plan::close);
    twice.forEach(Plan::close);
    comm.close();
    members.forEach(Backend::close);
    return (bestTwice - best) / sums;
  }

  private static double run(List<Backend> members, List<Plan> plans) {
    long start = System.nanoTime();
    for (int rank = 0; rank < members.size(); rank++) {
      members.get(rank).submit(plans.get(rank));
    }
    members.forEach(Backend::synchronize);
    return System.nanoTime() - start;
  }

  private static Chain sums(int elements) {
    return (member, place, sums) -> {
      GraphBuilder builder = new GraphBuilder();
      Tensor x = builder.input("x", DataType.F32, Shape.of(elements));
      Tensor y = x;
      for (int i = 0; i < sums; i++) {
        y = builder.add(new Operation.AllReduce(place), y);
      }
      builder.output(y);
      Graph graph = builder.build();
      return member.compile(graph, member.schedule(graph), alternating(member.device(), graph, x));
    };
  }

  /** All sums of a chain in two places, so that long chains need little memory. */
  private static Allocation alternating(Device device, Graph graph, Tensor x) {
    Tensor spare = new GraphBuilder().input("spare", DataType.F32, x.shape());
    Allocation both = device.bufferType().allocate(List.of(x, spare));
    List<Storage> places = new ArrayList<>();
    places.add(both.storage(x));
    for (Tensor node : graph.nodes()) {
      Storage at = both.storage(places.size() % 2 == 0 ? x : spare);
      places.add(new Storage(node, at.buffer(), at.offset()));
    }
    return Allocation.of(places, List.of());
  }

  private static Chain norms(int row) {
    return (member, place, sums) -> {
      GraphBuilder builder = new GraphBuilder();
      Tensor x = builder.input("x", DataType.F32, Shape.of(row));
      Tensor weight = builder.weight("weight", DataType.F32, Shape.of(row));
      Tensor y = x;
      for (int i = 0; i < sums; i++) {
        x = builder.add(x, builder.add(new Operation.AllReduce(place), y));
        y = builder.mul(builder.rmsNorm(x, 1e-5f), weight);
      }
      builder.output(y);
      Graph graph = builder.build();
      Schedule schedule = member.schedule(graph);
      List<Tensor> stored = new ArrayList<>(graph.leaves());
      stored.addAll(schedule.stored(graph));
      return member.compile(graph, schedule, member.device().bufferType().allocate(stored));
    };
  }
}
