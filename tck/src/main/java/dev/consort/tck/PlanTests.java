// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Reference;
import dev.consort.tck.trace.AllocationChecker;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Plans: made once, submitted many times, side by side, in memory that is shared over time. */
public abstract class PlanTests extends KitTest {
  private static final int ROUNDS = 30;

  @Test
  void aPlanGivesNewResultsForNewInputs() {
    Branching graph = Branching.on(device());
    Backend backend = lab().backend(device());
    Lab.Placed plan = lab().plan(backend, graph.graph);
    graph.setWeights(lab(), backend, plan.allocation());
    MemorySegment[] outputs = new MemorySegment[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      backend.set(plan.at(graph.x), 0, graph.input(lab(), i));
      backend.submit(plan.plan());
      outputs[i] = lab().bytes(graph.y.bytes());
      backend.get(plan.at(graph.y), 0, outputs[i]);
    }
    backend.synchronize();
    for (int i = 0; i < ROUNDS; i++) {
      graph.check(lab(), i, outputs[i]);
    }
  }

  @Test
  void equalInputsGiveEqualBits() {
    Branching graph = Branching.on(device());
    Backend backend = lab().backend(device());
    Lab.Placed plan = lab().plan(backend, graph.graph);
    graph.setWeights(lab(), backend, plan.allocation());
    backend.set(plan.at(graph.x), 0, graph.input(lab(), 1));
    MemorySegment first = lab().bytes(graph.y.bytes());
    for (int i = 0; i < ROUNDS; i++) {
      backend.submit(plan.plan());
      MemorySegment output = i == 0 ? first : lab().bytes(graph.y.bytes());
      backend.get(plan.at(graph.y), 0, output);
      backend.synchronize();
      assertThat(output.mismatch(first)).as("byte that differs in run %d", i).isEqualTo(-1);
    }
  }

  @Test
  void aStateIsKeptFromSubmissionToSubmission() {
    GraphBuilder builder = new GraphBuilder();
    Tensor state = builder.state("state", DataType.F32, Shape.of(8, 2, ROUNDS));
    Tensor row = builder.input("row", DataType.F32, Shape.of(8, 2, 1));
    Tensor slot = builder.input("slot", DataType.I32, Shape.of(1));
    Tensor next = builder.setRows(state, row, slot);
    Tensor flat = builder.reshape(next, Shape.of(16, ROUNDS));
    Tensor sum = builder.output(builder.sum(flat, 1));
    Graph graph = builder.build();
    Backend backend = lab().backend(device());
    Lab.Placed plan = lab().plan(backend, graph);
    backend.set(plan.at(state), 0, lab().filled(16 * ROUNDS, 0));
    float expected = 0;
    for (int i = 0; i < ROUNDS; i++) {
      backend.set(plan.at(row), 0, lab().filled(16, i + 1));
      backend.set(plan.at(slot), 0, lab().ints(ROUNDS - 1 - i));
      backend.submit(plan.plan());
      expected += i + 1;
      assertThat(lab().read(backend, plan.at(sum))).as("round %d", i).containsOnly(expected);
    }
  }

  @Test
  void severalPlansShareWeightsAndStates() {
    GraphBuilder one = new GraphBuilder();
    Tensor w = one.weight("w", DataType.F32, Shape.of(32, 8));
    Tensor x1 = one.input("x1", DataType.F32, Shape.of(32, 1));
    Tensor y1 = one.output(one.matMul(w, x1));
    GraphBuilder four = new GraphBuilder();
    Tensor sameW = four.weight("w", DataType.F32, Shape.of(32, 8));
    Tensor x4 = four.input("x4", DataType.F32, Shape.of(32, 4));
    Tensor y4 = four.output(four.matMul(sameW, x4));
    Backend backend = lab().backend(device());
    Allocation weights = lab().place(device(), w);
    Lab.Placed small = lab().plan(backend, one.build(), weights);
    Lab.Placed large = lab().plan(backend, four.build(), weights);
    for (int i = 1; i < ROUNDS; i++) {
      backend.set(weights.storage(w), 0, lab().filled(256, i));
      backend.set(small.at(x1), 0, lab().filled(32, 1));
      backend.set(large.at(x4), 0, lab().filled(128, 2));
      backend.submit(i % 2 == 0 ? small.plan() : large.plan());
      backend.submit(i % 2 == 0 ? large.plan() : small.plan());
      assertThat(lab().read(backend, small.at(y1))).containsOnly(32 * i);
      assertThat(lab().read(backend, large.at(y4))).containsOnly(64 * i);
    }
  }

  @Test
  void schedulesRunEverythingOnceAfterItsSources() {
    Graph graph = Branching.on(device()).graph;
    Schedule schedule = lab().backend(device()).schedule(graph);
    Map<Tensor, Integer> stepOf = new HashMap<>();
    List<BitSet> before = new ArrayList<>();
    for (int i = 0; i < schedule.steps().size(); i++) {
      BitSet earlier = new BitSet();
      for (int after : schedule.steps().get(i).after()) {
        assertThat(after).as("what step %d comes after", i).isBetween(0, i - 1);
        earlier.set(after);
        earlier.or(before.get(after));
      }
      before.add(earlier);
      for (Tensor node : schedule.steps().get(i).nodes()) {
        assertThat(stepOf.put(node, i)).as("step that has %s already", node).isNull();
        for (Tensor source : node.sources()) {
          Tensor maker = source;
          while (maker.isView()) {
            maker = maker.source(0);
          }
          if (graph.computes(maker)) {
            int made = stepOf.getOrDefault(maker, -1);
            assertThat(made == i || (made >= 0 && earlier.get(made)))
                .as("%s, made by step %d, happens before its use by step %d", maker, made, i)
                .isTrue();
          }
        }
      }
    }
    assertThat(stepOf.keySet())
        .containsExactlyInAnyOrderElementsOf(
            graph.nodes().stream().filter(node -> !node.isView()).toList());
  }

  // Rule 6: memory may be reused where the schedule says that one use is over.

  @Test
  void aPlanRunsInMemoryThatItsScheduleAllowsToShare() {
    Branching graph = Branching.on(device());
    Backend backend = lab().backend(device());
    Schedule schedule = backend.schedule(graph.graph);
    if (device().info().kind() == DeviceKind.META) {
      throw new TestAbortedException("a meta device places its members' tensors");
    }
    try (Allocation shared = TightPacking.pack(device().bufferType(), graph.graph, schedule)) {
      assertThat(AllocationChecker.check(graph.graph, schedule, shared)).isEmpty();
      Allocation leaves = lab().place(device(), graph.leaves());
      Allocation whole = Allocation.join(List.of(shared, leaves));
      if (schedule.scratchBytes() > 0) {
        whole = whole.withScratch(lab().scratch(device(), schedule.scratchBytes()));
      }
      graph.setWeights(lab(), backend, whole);
      try (Plan plan = backend.compile(graph.graph, schedule, whole)) {
        for (int i = 0; i < ROUNDS; i++) {
          backend.set(whole.storage(graph.x), 0, graph.input(lab(), i));
          backend.submit(plan);
          MemorySegment output = lab().bytes(graph.y.bytes());
          backend.get(whole.storage(graph.y), 0, output);
          backend.synchronize();
          graph.check(lab(), i, output);
        }
      }
    }
  }

  @Test
  void aPlanRunsOnItsOwnBackendOnly() {
    Branching graph = Branching.on(device());
    Backend own = lab().backend(device());
    Backend other = lab().backend(device());
    Plan plan = lab().plan(own, graph.graph).plan();
    assertThat(plan.backend()).isSameAs(own);
    assertRefused(() -> other.submit(plan), ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void aPlanMayBeClosedWhileItRuns() {
    Branching graph = Branching.on(device());
    Backend backend = lab().backend(device());
    Lab.Placed kept = lab().plan(backend, graph.graph);
    graph.setWeights(lab(), backend, kept.allocation());
    backend.set(kept.at(graph.x), 0, graph.input(lab(), 3));
    for (int i = 0; i < 5; i++) {
      Schedule schedule = backend.schedule(graph.graph);
      try (Plan plan = backend.compile(graph.graph, schedule, kept.allocation())) {
        backend.submit(plan);
      }
      MemorySegment output = lab().bytes(graph.y.bytes());
      backend.get(kept.at(graph.y), 0, output);
      backend.synchronize();
      graph.check(lab(), 3, output);
    }
  }

  @Test
  void backendsOfOneDeviceRunSideBySide() throws Exception {
    int streams = 4;
    try (ExecutorService threads = Executors.newFixedThreadPool(streams)) {
      List<Callable<Void>> work = new ArrayList<>();
      for (int stream = 0; stream < streams; stream++) {
        int seed = stream;
        work.add(
            () -> {
              runAlone(seed);
              return null;
            });
      }
      for (Future<Void> done : threads.invokeAll(work)) {
        done.get();
      }
    }
  }

  private void runAlone(int seed) {
    try (Lab own = new Lab()) {
      Branching graph = Branching.on(device());
      Backend backend = own.backend(device());
      Lab.Placed plan = own.plan(backend, graph.graph);
      graph.setWeights(own, backend, plan.allocation());
      for (int i = 0; i < ROUNDS / 2; i++) {
        backend.set(plan.at(graph.x), 0, graph.input(own, seed * 100 + i));
        backend.submit(plan.plan());
        MemorySegment output = own.bytes(graph.y.bytes());
        backend.get(plan.at(graph.y), 0, output);
        backend.synchronize();
        graph.check(own, seed * 100 + i, output);
      }
    }
  }

  /** Some branches that join, with norms, products and views between. */
  private static final class Branching {
    final Graph graph;
    final Tensor x;
    final Tensor y;
    private final Tensor w1;
    private final Tensor w2;

    /** With as many kinds of operations as the device supports. */
    static Branching on(Device device) {
      Branching rich = new Branching(Variety.RICH);
      return Lab.refusal(device, rich.graph).isEmpty() ? rich : new Branching(Variety.PLAIN);
    }

    private Branching(Variety variety) {
      GraphBuilder builder = new GraphBuilder();
      x = builder.input("x", DataType.F32, Shape.of(64, 5));
      w1 = builder.weight("w1", DataType.F32, Shape.of(64, 96));
      w2 = builder.weight("w2", DataType.F32, Shape.of(96, 64));
      Tensor normed = variety == Variety.RICH ? builder.rmsNorm(x, 1e-5f) : builder.scale(x, 2);
      Tensor up = builder.matMul(w1, normed);
      Tensor left = builder.unary(Operation.Unary.Kind.SILU, up);
      Tensor right = builder.scale(up, 0.5f);
      Tensor third = builder.unary(Operation.Unary.Kind.TANH, up);
      Tensor joined = builder.mul(builder.add(left, right), third);
      Tensor down = builder.matMul(w2, joined);
      Tensor residual = builder.add(x, down);
      Tensor halves = builder.reshape(residual, Shape.of(32, 2, 5));
      if (variety == Variety.RICH) {
        Tensor sum = builder.sum(halves, 1);
        y = builder.output(builder.softMax(builder.reshape(sum, Shape.of(32, 5))));
      } else {
        y = builder.output(builder.mul(halves, halves));
      }
      graph = builder.build();
    }

    /** Which operations are in it. */
    private enum Variety {
      RICH,
      /** Products, sums and functions of elements alone. */
      PLAIN
    }

    Tensor[] leaves() {
      return new Tensor[] {x, w1, w2};
    }

    MemorySegment input(Lab lab, int seed) {
      return random(lab, x, seed);
    }

    void setWeights(Lab lab, Backend backend, Allocation allocation) {
      backend.set(allocation.storage(w1), 0, random(lab, w1, -1));
      backend.set(allocation.storage(w2), 0, random(lab, w2, -2));
    }

    void check(Lab lab, int seed, MemorySegment output) {
      Map<String, MemorySegment> leaves =
          Map.of("x", random(lab, x, seed), "w1", random(lab, w1, -1), "w2", random(lab, w2, -2));
      MemorySegment expected = Reference.evaluate(graph, leaves).get(y.name());
      Comparison comparison = Comparison.of(y, expected, output);
      assertThat(comparison.within(1e-4)).as("%s of input %d", comparison, seed).isTrue();
    }

    private static MemorySegment random(Lab lab, Tensor tensor, int seed) {
      Random random = new Random(seed);
      float[] values = new float[(int) tensor.shape().elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      return lab.floats(values);
    }
  }
}
