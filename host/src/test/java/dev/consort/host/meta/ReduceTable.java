// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import dev.consort.host.Consort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Prints how long a sum takes that the host carries over some devices, from 4 KiB to 16 MiB, behind
 * a small plan whose time alone is beside it. {@code java -cp ... dev.consort.host.meta.ReduceTable
 * cpu:0,vulkan:llvmpipe cpu:0*3 ...}
 */
final class ReduceTable {
  private static final int ROUNDS = 7;

  private ReduceTable() {}

  public static void main(String[] args) throws Exception {
    try (Consort host = Consort.open()) {
      for (String names : args) {
        for (int bytes = 4 << 10; bytes <= 16 << 20; bytes *= 4) {
          try (Group group = new Group(host.select(names), bytes / 4)) {
            int sums = Math.clamp((32 << 20) / bytes, 4, 200);
            group.nanos(sums, true);
            double alone = Double.MAX_VALUE;
            double[] all = new double[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
              alone = Math.min(alone, group.nanos(sums, false));
              all[round] = group.nanos(sums, true);
            }
            Arrays.sort(all);
            System.out.printf(
                "%s, %d KiB: %.0f us least, %.0f us median, of these %.0f us for an empty plan%n",
                names, bytes >> 10, all[0] / 1e3, all[ROUNDS / 2] / 1e3, alone / 1e3);
          }
        }
      }
    }
  }

  /** Members that meet again and again, each on a thread of its own. */
  private static final class Group implements AutoCloseable {
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Submitter> submitters = new ArrayList<>();
    private final List<Plan> plans = new ArrayList<>();
    private final List<Storage> terms = new ArrayList<>();
    private final List<Storage> results = new ArrayList<>();
    private final List<Rendezvous.Views> views = new ArrayList<>();
    private final Rendezvous place;
    private final Purpose.Reduce purpose;
    private final ExecutorService threads;

    Group(List<Device> devices, int elements) {
      Failure failure = new Failure();
      Waiting waiting = new Waiting(devices.size(), failure);
      GraphBuilder builder = new GraphBuilder();
      Tensor small = builder.input("small", DataType.F32, Shape.of(32));
      Tensor before = builder.output(builder.unary(Operation.Unary.Kind.NEG, small));
      Graph graph = builder.build();
      GraphBuilder leaves = new GraphBuilder();
      Tensor term = leaves.input("term", DataType.F32, Shape.of(elements));
      Tensor sum = leaves.input("sum", DataType.F32, Shape.of(elements));
      for (int m = 0; m < devices.size(); m++) {
        Device device = devices.get(m);
        Backend backend = device.createBackend();
        Submitter submitter = new Submitter(m, backend, failure, waiting);
        submitters.add(submitter);
        Schedule schedule = backend.schedule(graph);
        Allocation allocation = device.bufferType().allocate(List.of(small, before, term, sum));
        allocation.buffers().forEach(buffer -> buffer.fill((byte) 1));
        Plan plan = backend.compile(graph, schedule, allocation);
        plans.add(plan);
        terms.add(allocation.storage(term));
        results.add(allocation.storage(sum));
        open.addAll(List.of(plan, submitter, allocation));
      }
      place = new Rendezvous(submitters.toArray(Submitter[]::new), waiting);
      open.add(place);
      boolean[] gives = new boolean[devices.size()];
      Arrays.fill(gives, true);
      var meet =
          new MemberProgram.Meet(
              0,
              ExchangeKind.REDUCE,
              MemberProgram.Meet.ANYONE,
              -1,
              term,
              sum,
              sum,
              SplitState.PARTIAL);
      purpose = new Purpose.Reduce(meet, gives);
      for (int m = 0; m < devices.size(); m++) {
        views.add(place.prepare(m, purpose, 4L * elements, 4L * elements));
      }
      threads = Executors.newFixedThreadPool(devices.size());
      open.add(threads);
    }

    /** Of one turn. */
    double nanos(int sums, boolean meets) throws InterruptedException, ExecutionException {
      long start = System.nanoTime();
      List<Future<?>> all = new ArrayList<>();
      for (int m = 0; m < submitters.size(); m++) {
        int member = m;
        all.add(threads.submit(() -> turns(member, sums, meets)));
      }
      for (Future<?> one : all) {
        one.get();
      }
      return (System.nanoTime() - start) / (double) sums;
    }

    private void turns(int member, int sums, boolean meets) {
      Backend backend = submitters.get(member).backend();
      for (int i = 0; i < sums; i++) {
        backend.submit(plans.get(member));
        if (meets) {
          Storage term = terms.get(member);
          Storage sum = results.get(member);
          place.meet(member, backend, purpose, term, sum, views.get(member));
        } else {
          backend.synchronize();
        }
      }
      backend.synchronize();
    }

    @Override
    public void close() {
      Closing.all(open);
    }
  }
}
