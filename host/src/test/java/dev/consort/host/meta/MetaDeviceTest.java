// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Device;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.host.meta.RandomGraph.Made;
import dev.consort.tck.Comparison;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** A meta device gives what one device gives, whatever the graph, the members and their shares. */
class MetaDeviceTest {
  private static final int GRAPHS = 40;
  private static final int[] MEMBERS = {1, 2, 3, 4, 5, 7, 8};
  static final List<String> KINDS = RandomGraph.KINDS;

  @ParameterizedTest
  @FieldSource("KINDS")
  void givesWhatOneDeviceGives(String kind) {
    long split = 0;
    for (int seed = 0; seed < GRAPHS; seed++) {
      Made made = RandomGraph.of(kind, seed);
      Random random = new Random(seed);
      MetaDevice meta = meta(random, MEMBERS[seed % MEMBERS.length]);
      compare(made, meta, "seed %d: %s".formatted(seed, words(made)));
      split += splits(made);
    }
    assertThat(split)
        .as("nodes that some member computed only a part of")
        .isGreaterThan(GRAPHS / 5);
  }

  private static void compare(Made made, MetaDevice meta, String words) {
    Map<String, byte[]> expected = GraphRun.once(new ReferenceDevice(0), made.graph(), made.data());
    Map<String, byte[]> found = GraphRun.once(meta, made.graph(), made.data());
    for (Tensor output : made.graph().outputs()) {
      Comparison comparison =
          Comparison.of(
              output,
              MemorySegment.ofArray(expected.get(output.name())),
              MemorySegment.ofArray(found.get(output.name())));
      assertThat(comparison.within(1e-9))
          .as("%s on %d members: %s; %s", output, meta.members().size(), comparison, words)
          .isTrue();
    }
  }

  private static String words(Made made) {
    StringBuilder words = new StringBuilder();
    Sharding.Sharded sharded = Sharding.of(made.graph(), false);
    sharded.leaves().forEach((leaf, state) -> words.append("\n").append(leaf).append(state));
    made.graph()
        .nodes()
        .forEach(node -> words.append("\n").append(node).append(" of ").append(node.sources()));
    sharded.items().forEach(item -> words.append("\n").append(item));
    return words.toString();
  }

  private static long splits(Made made) {
    return Sharding.of(made.graph(), true).items().stream()
        .filter(item -> item instanceof Sharding.Compute c && !c.result().isMirrored())
        .count();
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void givesWhatOneDeviceGivesLayerByLayer(String kind) {
    int handed = 0;
    for (int seed = 100; seed < 100 + GRAPHS / 4; seed++) {
      Made made = RandomGraph.of(kind, seed);
      Random random = new Random(seed);
      double[] weights = {1 + random.nextInt(2), random.nextInt(3), 1 + random.nextInt(3)};
      List<Device> members = new ArrayList<>();
      for (int m = 0; m < 3; m++) {
        members.add(
            new ReferenceDevice(
                ReferenceOptions.of(m).plugin("p" + m).adversary(Adversary.seeded(seed))));
      }
      var meta = new MetaDevice(members, weights, Split.LAYER, WirePolicy.EXACT);
      compare(made, meta, "seed " + seed);
      var stages = new Stages(made.graph(), new Remedies(weights));
      for (int m = 0; m < 3; m++) {
        handed +=
            (int)
                stages.program(m).steps().stream()
                    .filter(step -> step instanceof MemberProgram.Meet)
                    .count();
      }
    }
    if (!kind.equals("top_k")) {
      assertThat(handed).as("tensors handed from stage to stage").isPositive();
    }
  }

  /** Of one plugin or several, evenly or not, some with nothing to do. */
  private static MetaDevice meta(Random random, int count) {
    int plugins = 1 + random.nextInt(3);
    List<Device> members = new ArrayList<>();
    double[] weights = new double[count];
    for (int m = 0; m < count; m++) {
      String plugin = "plugin" + random.nextInt(plugins);
      Adversary adversary = random.nextBoolean() ? Adversary.none() : Adversary.seeded(m);
      members.add(new ReferenceDevice(ReferenceOptions.of(m).plugin(plugin).adversary(adversary)));
      weights[m] = random.nextInt(4);
    }
    if (random.nextBoolean() || Arrays.stream(weights).sum() == 0) {
      Arrays.fill(weights, 1);
    }
    return new MetaDevice(members, weights, Split.TENSOR, WirePolicy.EXACT);
  }
}
