// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Buffer;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Schedule;
import dev.consort.api.Schedule.Step;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.ReferenceDevice;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AllocationCheckerTest {
  private static final long SLOT = 64;

  private final Device device = new ReferenceDevice(0);
  private final Buffer buffer = device.bufferType().allocate(16 * SLOT);
  private final GraphBuilder builder = new GraphBuilder();
  private final Tensor x = builder.input("x", DataType.F32, Shape.of(16));
  private final Tensor first = builder.scale(x, 2);
  private final Tensor second = builder.scale(first, 2);
  private final Tensor third = builder.scale(second, 2);
  private final Tensor joined = builder.output(builder.add(third, second));
  private final Graph graph = builder.build();

  @AfterEach
  void close() {
    buffer.close();
  }

  private Allocation at(Map<Tensor, Integer> slots) {
    return Allocation.of(
        slots.entrySet().stream()
            .map(e -> new Storage(e.getKey(), buffer, e.getValue() * SLOT))
            .toList(),
        List.of());
  }

  private List<String> check(Map<Tensor, Integer> slots) {
    return AllocationChecker.check(graph, Schedule.sequential(graph), at(slots));
  }

  @Test
  void tensorsApartAreSound() {
    assertThat(check(Map.of(x, 0, first, 1, second, 2, third, 3, joined, 4))).isEmpty();
  }

  @Test
  void reuseAfterTheLastUseIsSound() {
    assertThat(check(Map.of(x, 0, first, 1, second, 2, third, 1, joined, 3))).isEmpty();
  }

  @Test
  void reuseWhileStillLiveIsFoundAndBothAreNamed() {
    List<String> wrong = check(Map.of(x, 0, first, 1, second, 2, third, 2, joined, 3));
    assertThat(wrong).singleElement().asString().contains(second.name(), third.name());
  }

  @Test
  void partialOverlapIsFound() {
    Allocation allocation =
        Allocation.of(
            List.of(
                new Storage(x, buffer, 0),
                new Storage(first, buffer, SLOT),
                new Storage(second, buffer, 2 * SLOT),
                new Storage(third, buffer, 3 * SLOT - 4),
                new Storage(joined, buffer, 6 * SLOT)),
            List.of());
    List<String> wrong = AllocationChecker.check(graph, Schedule.sequential(graph), allocation);
    assertThat(wrong).anyMatch(text -> text.contains("share bytes"));
    assertThat(wrong).anyMatch(text -> text.contains("no multiple of 64"));
  }

  @Test
  void whatStepsThatMayRunAtOnceUseMayNotShare() {
    Schedule unordered =
        new Schedule(
            List.of(
                new Step(List.of(first), List.of()),
                new Step(List.of(second), List.of(0)),
                new Step(List.of(third), List.of(1)),
                new Step(List.of(joined), List.of(2))),
            0);
    Map<Tensor, Integer> slots = Map.of(x, 0, first, 1, second, 2, third, 1, joined, 3);
    assertThat(AllocationChecker.check(graph, unordered, at(slots))).isEmpty();
    GraphBuilder branching = new GraphBuilder();
    Tensor input = branching.input("x", DataType.F32, Shape.of(16));
    Tensor left = branching.scale(input, 2);
    Tensor leftAgain = branching.output(branching.scale(left, 2));
    Tensor right = branching.scale(input, 3);
    Tensor rightAgain = branching.output(branching.scale(right, 3));
    Schedule atOnce =
        new Schedule(
            List.of(
                new Step(List.of(left), List.of()),
                new Step(List.of(leftAgain), List.of(0)),
                new Step(List.of(right), List.of()),
                new Step(List.of(rightAgain), List.of(2))),
            0);
    Map<Tensor, Integer> shared = Map.of(input, 0, left, 1, leftAgain, 2, right, 1, rightAgain, 3);
    assertThat(AllocationChecker.check(branching.build(), atOnce, at(shared)))
        .singleElement()
        .asString()
        .contains(left.name(), right.name());
    assertThat(
            AllocationChecker.check(
                branching.build(), Schedule.sequential(branching.build()), at(shared)))
        .isEmpty();
  }

  @Test
  void leavesShareWithNothing() {
    assertThat(check(Map.of(x, 0, first, 1, second, 0, third, 3, joined, 4))).hasSize(1);
  }

  @Test
  void whatAnEarlierPieceLeftMayBeOverwrittenAfterItsLastUse() {
    Graph piece = Graph.of(List.of(second, third, joined), List.of(joined));
    Schedule schedule = Schedule.sequential(piece);
    assertThat(
            AllocationChecker.check(
                piece, schedule, at(Map.of(first, 1, second, 2, third, 1, joined, 3))))
        .isEmpty();
    assertThat(
            AllocationChecker.check(
                piece, schedule, at(Map.of(first, 1, second, 1, third, 2, joined, 3))))
        .hasSize(1);
  }

  @Test
  void scratchMemorySharesWithNothing() {
    Schedule schedule =
        Schedule.sequential(
            Schedule.sequential(graph).steps().stream().map(Step::nodes).toList(), 32);
    Allocation allocation =
        at(Map.of(x, 0, first, 1, second, 2, third, 3, joined, 4))
            .withScratch(new Storage(x, buffer, 3 * SLOT + 32));
    assertThat(AllocationChecker.check(graph, schedule, allocation))
        .singleElement()
        .asString()
        .contains(third.name(), "scratch");
  }

  @Test
  void missingPlacesAndPlacesOutsideAreFound() {
    assertThat(check(Map.of(x, 0, first, 1, second, 2, joined, 16)))
        .anyMatch(text -> text.contains(third.name() + " f32[16, 1, 1, 1] has no place"))
        .anyMatch(text -> text.contains("of a buffer of"));
  }
}
