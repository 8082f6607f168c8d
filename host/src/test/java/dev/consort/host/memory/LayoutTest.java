// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.trace.AllocationChecker;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Memory is shared by tensors that are never in use at the same time, and by no others. */
class LayoutTest {
  @Test
  void theKitsCheckerFindsNothingInParallelBranches() {
    long used = 0;
    long sum = 0;
    for (int seed = 0; seed < 150; seed++) {
      Made made = Made.of(new Random(seed));
      try (ComputeMemory memory = new ComputeMemory(made.type())) {
        Allocation allocation = made.allocation(memory, made.layout(List.of()));
        assertThat(AllocationChecker.check(made.graph(), made.schedule(), allocation))
            .as("seed %d", seed)
            .isEmpty();
      }
      used += made.layout(List.of()).bufferBytes().stream().mapToLong(Long::longValue).sum();
      sum += made.schedule().stored(made.graph()).stream().mapToLong(Tensor::bytes).sum();
    }
    assertThat(used).as("bytes, of %d without reuse", sum).isLessThan(sum * 4 / 5);
  }

  /** An order of the steps that the schedule allows, and what a plan would do to the memory. */
  @Test
  void inNoOrderThatTheScheduleAllowsIsAnythingOverwrittenTooEarly() {
    for (int seed = 0; seed < 150; seed++) {
      Random random = new Random(seed);
      Made made = Made.of(random);
      Layout layout = made.layout(List.of());
      for (int order = 0; order < 5; order++) {
        assertThat(overwritten(made, layout.places(), random)).as("seed %d", seed).isEmpty();
      }
    }
  }

  @Test
  void aPlantedEarlyReuseIsFound() {
    int found = 0;
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      Made made = Made.of(random);
      List<Layout.Place> places = new ArrayList<>(made.layout(List.of()).places());
      AllocationChecker.Lifetimes lifetimes =
          AllocationChecker.lifetimes(made.graph(), made.schedule());
      for (int i = 1; i < places.size(); i++) {
        Layout.Place victim = places.get(i - 1);
        Layout.Place place = places.get(i);
        if (!lifetimes.mayShare(victim.tensor(), place.tensor())) {
          places.set(
              i, new Layout.Place(place.tensor(), victim.buffer(), victim.offset(), place.bytes()));
          boolean seen = false;
          for (int order = 0; order < 40; order++) {
            seen |= !overwritten(made, places, random).isEmpty();
          }
          found += seen ? 1 : 0;
          break;
        }
      }
    }
    assertThat(found).as("planted reuses that some order of the steps shows").isGreaterThan(60);
  }

  @Test
  void whatSomebodyReadsAfterAPieceStaysInPlaceUntilThen() {
    var builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(64));
    Tensor given = builder.scale(x, 2);
    Tensor other = builder.scale(x, 3);
    Tensor another = builder.scale(other, 3);
    Tensor next = builder.scale(another, 4);
    Graph first = Graph.of(List.of(given, other, another), List.of(given, another));
    Graph second = Graph.of(List.of(next), List.of(next));
    BufferType type = new ReferenceDevice(0).bufferType();
    List<Piece> pieces =
        List.of(
            new Piece(first, Schedule.sequential(first)),
            new Piece(second, Schedule.sequential(second)));
    Layout layout =
        new Layout(type, pieces, Map.of(), Map.of(given, 0), Set.of(x)::contains, List.of());
    Layout.Place mine = place(layout, given);
    for (Tensor tensor : List.of(other, another, next)) {
      Layout.Place place = place(layout, tensor);
      assertThat(place.offset() < mine.end() && mine.offset() < place.end())
          .as("%s lies on %s", tensor, given)
          .isFalse();
    }
  }

  @Test
  void noBufferIsLargerThanItsTypeAllows() {
    for (int seed = 0; seed < 50; seed++) {
      Made made = Made.of(new Random(seed));
      ReferenceDevice small = new ReferenceDevice(ReferenceOptions.of(0).memory(1 << 26, 9_000));
      Layout layout =
          new Layout(
              small.bufferType(),
              List.of(new Piece(made.graph(), made.schedule())),
              Map.of(),
              Map.of(),
              made.graph().leaves()::contains,
              List.of());
      assertThat(layout.bufferBytes()).allMatch(bytes -> bytes <= 9_000);
      assertThat(overwritten(made, layout.places(), new Random(seed))).isEmpty();
    }
  }

  private static Layout.Place place(Layout layout, Tensor tensor) {
    return layout.places().stream().filter(p -> p.tensor() == tensor).findFirst().orElseThrow();
  }

  /** Runs the steps in some order: what a step reads must be what was written for it. */
  private static List<String> overwritten(Made made, List<Layout.Place> places, Random random) {
    Map<Tensor, Layout.Place> byTensor = new HashMap<>();
    places.forEach(place -> byTensor.put(place.tensor(), place));
    Map<String, Tensor> memory = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    for (Schedule.Step step : order(made.schedule().steps(), random)) {
      for (Tensor node : step.nodes()) {
        for (Tensor source : node.sources()) {
          Layout.Place place = byTensor.get(source.root());
          if (place != null && !step.nodes().contains(source.root())) {
            requireIntact(memory, place, wrong);
          }
        }
      }
      for (Tensor node : step.nodes()) {
        Layout.Place place = byTensor.get(node);
        if (place != null) {
          cells(place).forEach(cell -> memory.put(cell, node));
        }
      }
    }
    made.graph()
        .outputs()
        .forEach(output -> requireIntact(memory, byTensor.get(output.root()), wrong));
    return wrong;
  }

  private static void requireIntact(
      Map<String, Tensor> memory, Layout.Place place, List<String> wrong) {
    for (String cell : cells(place)) {
      if (memory.get(cell) != place.tensor()) {
        wrong.add(memory.get(cell) + " lies where " + place.tensor() + " is read");
        return;
      }
    }
  }

  private static List<String> cells(Layout.Place place) {
    List<String> cells = new ArrayList<>();
    for (long at = place.offset(); at < place.offset() + place.bytes(); at += 64) {
      cells.add(place.buffer() + ":" + at);
    }
    return cells;
  }

  private static List<Schedule.Step> order(List<Schedule.Step> steps, Random random) {
    List<Schedule.Step> order = new ArrayList<>();
    Set<Integer> left = new TreeSet<>();
    for (int i = 0; i < steps.size(); i++) {
      left.add(i);
    }
    while (!left.isEmpty()) {
      List<Integer> ready =
          left.stream()
              .filter(i -> steps.get(i).after().stream().noneMatch(left::contains))
              .toList();
      int next = ready.get(random.nextInt(ready.size()));
      left.remove(next);
      order.add(steps.get(next));
    }
    return order;
  }

  /** A random graph, scheduled with no more edges than its data need, some nodes fused. */
  private record Made(Graph graph, Schedule schedule, BufferType type) {
    static Made of(Random random) {
      var builder = new GraphBuilder();
      List<Tensor> pool = new ArrayList<>();
      int inputs = 1 + random.nextInt(3);
      for (int i = 0; i < inputs; i++) {
        pool.add(builder.input("in" + i, DataType.F32, Shape.of(16, 1 + random.nextInt(20))));
      }
      int nodes = 5 + random.nextInt(25);
      for (int i = 0; i < nodes; i++) {
        Tensor x = pool.get(pool.size() - 1 - random.nextInt(Math.min(6, pool.size())));
        pool.add(
            switch (random.nextInt(5)) {
              case 0 -> builder.reshape(x, Shape.of(x.shape().elements()));
              case 1 -> builder.sum(x, 1);
              case 2 -> builder.add(x, x);
              case 3 -> builder.scale(x, 2);
              default -> builder.unary(Operation.Unary.Kind.SILU, x);
            });
      }
      Tensor last = pool.getLast();
      builder.output(last.isView() ? builder.scale(last, 1) : last);
      Graph graph = builder.build();
      return new Made(graph, schedule(graph, random), new ReferenceDevice(0).bufferType());
    }

    private static Schedule schedule(Graph graph, Random random) {
      List<Schedule.Step> steps = new ArrayList<>();
      Map<Tensor, Integer> stepOf = new HashMap<>();
      List<Tensor> fused = new ArrayList<>();
      for (Tensor node : graph.nodes()) {
        if (node.isView()) {
          continue;
        }
        fused.add(node);
        if (random.nextInt(4) > 0) {
          steps.add(step(fused, stepOf, steps.size()));
          fused.clear();
        }
      }
      if (!fused.isEmpty()) {
        steps.add(step(fused, stepOf, steps.size()));
      }
      return new Schedule(steps, 128);
    }

    private static Schedule.Step step(List<Tensor> nodes, Map<Tensor, Integer> stepOf, int index) {
      Set<Integer> after = new TreeSet<>();
      nodes.forEach(node -> stepOf.put(node, index));
      for (Tensor node : nodes) {
        for (Tensor source : node.sources()) {
          Integer step = stepOf.get(source.root());
          if (step != null && step != index) {
            after.add(step);
          }
        }
      }
      return new Schedule.Step(nodes, after.stream().sorted(Comparator.reverseOrder()).toList());
    }

    Layout layout(List<Tensor> kept) {
      return new Layout(
          type,
          List.of(new Piece(graph, schedule)),
          Map.of(),
          Map.of(),
          graph.leaves()::contains,
          concat(kept, graph.outputs()));
    }

    private static List<Tensor> concat(List<Tensor> a, Set<Tensor> b) {
      List<Tensor> all = new ArrayList<>(a);
      all.addAll(b);
      return all;
    }

    Allocation allocation(ComputeMemory memory, Layout layout) {
      Allocation leaves = type.allocate(List.copyOf(graph.leaves()));
      Allocation computed = memory.allocate(layout);
      Storage scratch = computed.scratch().orElseThrow();
      Buffer buffer = scratch.buffer();
      assertThat(buffer.bytes()).isGreaterThanOrEqualTo(128);
      return Allocation.join(List.of(leaves, computed));
    }
  }
}
