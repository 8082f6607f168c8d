// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/** Reducing over members: right, the same bits on all, again and again, and in order. */
public abstract class CollectiveTests extends KitTest {
  private static final int[] SIZES = {1, 7, 256, 1031, 8192, 40_000};
  private static final int TURNS = 20;
  private static final double LIMIT = 1e-12;
  private static final double BF16_LIMIT = 1e-4;

  /** The comm to test; by default the plugin's own. A host may test its fallback here. */
  protected Optional<Comm> comm(List<Backend> members, WirePolicy wire) {
    Optional<CommInit> init = members.getFirst().device().find(ProcAddresses.COMM_INIT);
    return init.flatMap(own -> own.init(members, wire));
  }

  /** A comm with a tensor on each member. */
  private final class Group {
    final List<Backend> backends = new ArrayList<>();
    final Comm comm;

    Group(int size, WirePolicy wire) {
      for (Device device : members(size)) {
        backends.add(lab().backend(device));
      }
      comm =
          lab()
              .keep(
                  comm(backends, wire)
                      .orElseThrow(
                          () ->
                              new TestAbortedException(
                                  "%s has no comm of %d".formatted(device().info().id(), size))));
    }

    int size() {
      return backends.size();
    }

    List<Storage> vectors(int elements) {
      return backends.stream()
          .map(backend -> lab().vector(backend.device(), "partial", elements))
          .toList();
    }

    void set(List<Storage> partials, float[][] terms) {
      for (int rank = 0; rank < size(); rank++) {
        backends.get(rank).set(partials.get(rank), 0, lab().floats(terms[rank]));
      }
    }

    /** What all members hold, which must be the same bits. */
    float[] agreed(List<Storage> partials) {
      float[] first = lab().read(backends.getFirst(), partials.getFirst());
      for (int rank = 1; rank < size(); rank++) {
        float[] other = lab().read(backends.get(rank), partials.get(rank));
        for (int i = 0; i < first.length; i++) {
          assertThat(Integer.toHexString(Float.floatToRawIntBits(other[i])))
              .as("bits of element %d on member %d of %d, and on member 0", i, rank, size())
              .isEqualTo(Integer.toHexString(Float.floatToRawIntBits(first[i])));
        }
      }
      return first;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8})
  void allMembersEndWithTheSameSum(int members) {
    Group group = new Group(members, WirePolicy.EXACT);
    for (int size : SIZES) {
      float[][] terms = terms(members, size, size);
      List<Storage> partials = group.vectors(size);
      group.set(partials, terms);
      group.comm.allreduce(partials);
      Comparison comparison = Comparison.of(sum(terms), group.agreed(partials));
      assertThat(comparison.within(LIMIT))
          .as("%d members, %d elements: %s", members, size, comparison)
          .isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void numbersThatTravelAsBf16AreRoundedAlikeOnAllMembers(int members) {
    Group group = new Group(members, new WirePolicy(1000));
    for (int size : new int[] {7, 1031, 8192}) {
      float[][] terms = terms(members, size, size);
      List<Storage> partials = group.vectors(size);
      group.set(partials, terms);
      group.comm.allreduce(partials);
      Comparison comparison = Comparison.of(sum(terms), group.agreed(partials));
      assertThat(comparison.within(size < 1000 ? LIMIT : BF16_LIMIT))
          .as("%d members, %d elements: %s", members, size, comparison)
          .isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void nansAndInfinitiesEndTheSameEverywhere(int members) {
    Group group = new Group(members, WirePolicy.EXACT);
    float[][] terms = terms(members, 64, 5);
    float oddNan = Float.intBitsToFloat(0xffc12345);
    terms[0][3] = Float.NaN;
    terms[members - 1][4] = oddNan;
    terms[0][5] = oddNan;
    terms[1][5] = Float.NaN;
    terms[0][6] = Float.POSITIVE_INFINITY;
    terms[members - 1][7] = Float.NEGATIVE_INFINITY;
    terms[0][8] = Float.POSITIVE_INFINITY;
    terms[1][8] = Float.NEGATIVE_INFINITY;
    for (float[] term : terms) {
      term[9] = 3e38f;
      term[10] = -0f;
    }
    List<Storage> partials = group.vectors(64);
    group.set(partials, terms);
    group.comm.allreduce(partials);
    float[] found = group.agreed(partials);
    assertThat(Comparison.of(sum(terms), found).within(LIMIT)).isTrue();
    for (int i : new int[] {3, 4, 5, 8}) {
      assertThat(Float.floatToRawIntBits(found[i])).as("bits of a NaN").isEqualTo(0x7fc00000);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void reducesFollowEachOtherWithoutTheHostWaiting(int members) {
    Group group = new Group(members, WirePolicy.EXACT);
    List<Storage> partials = group.vectors(300);
    List<Storage> others = group.vectors(5);
    float[][] ones = new float[members][300];
    for (int rank = 0; rank < members; rank++) {
      Arrays.fill(ones[rank], rank + 1);
    }
    float total = members * (members + 1) / 2f;
    for (int turn = 0; turn < TURNS; turn++) {
      group.set(partials, ones);
      group.set(others, new float[members][5]);
      group.comm.allreduce(others);
      group.comm.allreduce(partials);
      for (int rank = 0; rank < members; rank++) {
        group.backends.get(rank).copy(partials.get(rank), 0, others.get(rank), 0, 20);
      }
    }
    assertThat(group.agreed(partials)).containsOnly(total);
    assertThat(group.agreed(others)).containsOnly(total);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void aReduceComesBetweenWhatWasSubmittedBeforeAndAfterIt(int members) {
    Group group = new Group(members, WirePolicy.EXACT);
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(128));
    Tensor y = builder.output(builder.scale(x, 2));
    Graph graph = builder.build();
    List<Lab.Placed> plans =
        group.backends.stream().map(backend -> lab().plan(backend, graph)).toList();
    List<Storage> sums = plans.stream().map(plan -> plan.at(y)).toList();
    for (int turn = 1; turn <= TURNS; turn++) {
      for (int rank = members - 1; rank >= 0; rank--) {
        group.backends.get(rank).set(plans.get(rank).at(x), 0, lab().filled(128, turn));
        group.backends.get(rank).submit(plans.get(rank).plan());
      }
      group.comm.allreduce(sums);
      for (int rank = 0; rank < members; rank++) {
        Backend backend = group.backends.get(rank);
        backend.copy(sums.get(rank), 0, plans.get(rank).at(x), 0, 512);
        backend.submit(plans.get(rank).plan());
      }
      assertThat(group.agreed(sums)).as("turn %d", turn).containsOnly(4f * members * turn);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void plansHaveReducesWithinThem(int members) {
    Group group = new Group(members, WirePolicy.EXACT);
    if (!group.comm.records()) {
      throw new TestAbortedException("the comm does not record into plans");
    }
    List<Lab.Placed> plans = new ArrayList<>();
    List<Tensor> inputs = new ArrayList<>();
    List<Tensor> outputs = new ArrayList<>();
    for (int rank = 0; rank < members; rank++) {
      GraphBuilder builder = new GraphBuilder();
      Tensor x = builder.input("x", DataType.F32, Shape.of(33, 3));
      Tensor once = reduce(builder, builder.scale(x, 2), group.comm, rank);
      Tensor twice = reduce(builder, builder.scale(once, 0.5f), group.comm, rank);
      inputs.add(x);
      outputs.add(builder.output(builder.add(twice, x)));
      plans.add(lab().plan(group.backends.get(rank), builder.build()));
    }
    for (int turn = 1; turn <= TURNS; turn++) {
      for (int i = 0; i < members; i++) {
        int rank = (i + turn) % members;
        Backend backend = group.backends.get(rank);
        backend.set(plans.get(rank).at(inputs.get(rank)), 0, lab().filled(99, turn));
        backend.submit(plans.get(rank).plan());
      }
      List<Storage> sums = new ArrayList<>();
      for (int rank = 0; rank < members; rank++) {
        sums.add(plans.get(rank).at(outputs.get(rank)));
      }
      assertThat(group.agreed(sums))
          .as("turn %d", turn)
          .containsOnly((float) members * members * turn + turn);
    }
  }

  private static Tensor reduce(GraphBuilder builder, Tensor x, Comm comm, int rank) {
    return builder.add(new Operation.AllReduce(comm.member(rank)), x);
  }

  @Test
  void reducingNothingIsAllowed() {
    Group group = new Group(3, WirePolicy.EXACT);
    List<Storage> none = group.vectors(0);
    List<Storage> some = group.vectors(4);
    group.set(some, new float[][] {{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}});
    group.comm.allreduce(none);
    group.comm.allreduce(some);
    group.comm.allreduce(none);
    assertThat(group.agreed(some)).containsExactly(3, 6, 9, 12);
  }

  @Test
  void repeatedReducesGiveEqualBits() {
    Group group = new Group(4, WirePolicy.EXACT);
    float[][] terms = terms(4, 8192, 9);
    List<Storage> partials = group.vectors(8192);
    float[] first = {};
    for (int turn = 0; turn < TURNS / 2; turn++) {
      group.set(partials, terms);
      group.comm.allreduce(partials);
      float[] found = group.agreed(partials);
      first = turn == 0 ? found : first;
      assertThat(found).as("turn %d", turn).isEqualTo(first);
    }
  }

  @Test
  void unequalSizesAreRefusedAndTheCommGoesOn() {
    Group group = new Group(2, WirePolicy.EXACT);
    List<Storage> wrong = List.of(group.vectors(4).get(0), group.vectors(5).get(1));
    assertRefused(() -> group.comm.allreduce(wrong), ErrorCode.INVALID_ARGUMENT);
    List<Storage> tooFew = group.vectors(4).subList(0, 1);
    assertRefused(() -> group.comm.allreduce(tooFew), ErrorCode.INVALID_ARGUMENT);
    List<Storage> partials = group.vectors(2);
    group.set(partials, new float[][] {{1, 2}, {3, 4}});
    group.comm.allreduce(partials);
    assertThat(group.agreed(partials)).containsExactly(4, 6);
  }

  @Test
  void membersAreInRankOrder() {
    Group group = new Group(3, WirePolicy.EXACT);
    assertThat(group.comm.members()).containsExactlyElementsOf(group.backends);
    assertThat(group.comm.wire()).isEqualTo(WirePolicy.EXACT);
    if (group.comm.records()) {
      for (int rank = 0; rank < 3; rank++) {
        assertThat(group.comm.member(rank).rank()).isEqualTo(rank);
      }
    }
  }

  /** What a host does where there is no comm: read the terms, add them in order, write the sum. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void membersReduceThroughTheHostWithoutAComm(int count) {
    List<Backend> backends = members(count).stream().map(lab()::backend).toList();
    List<Storage> partials =
        backends.stream().map(b -> lab().vector(b.device(), "partial", 1031)).toList();
    for (int turn = 0; turn < TURNS; turn++) {
      float[][] terms = terms(count, 1031, turn);
      MemorySegment[] read = new MemorySegment[count];
      for (int rank = 0; rank < count; rank++) {
        backends.get(rank).set(partials.get(rank), 0, lab().floats(terms[rank]));
        read[rank] = lab().bytes(4 * 1031);
        backends.get(rank).get(partials.get(rank), 0, read[rank]);
      }
      float[][] carried = new float[count][];
      for (int rank = 0; rank < count; rank++) {
        backends.get(rank).synchronize();
        carried[rank] = Lab.floats(read[rank]);
      }
      MemorySegment sum = lab().floats(sum(carried));
      for (int rank = 0; rank < count; rank++) {
        backends.get(rank).set(partials.get(rank), 0, sum);
        assertThat(lab().read(backends.get(rank), partials.get(rank)))
            .as("turn %d, member %d", turn, rank)
            .isEqualTo(sum(terms));
      }
    }
  }

  /** Terms of very different sizes. */
  private static float[][] terms(int members, int size, int seed) {
    Random random = new Random(seed);
    float[][] terms = new float[members][size];
    for (float[] term : terms) {
      for (int i = 0; i < size; i++) {
        term[i] = (random.nextFloat() + 0.1f) * (float) Math.pow(10, i % 7 - 3);
      }
    }
    return terms;
  }

  private static float[] sum(float[][] terms) {
    float[] sum = new float[terms[0].length];
    for (int i = 0; i < sum.length; i++) {
      float total = terms[0][i];
      for (int rank = 1; rank < terms.length; rank++) {
        total += terms[rank][i];
      }
      sum[i] = total;
    }
    return sum;
  }
}
