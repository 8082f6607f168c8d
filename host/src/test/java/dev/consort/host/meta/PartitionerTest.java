// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PartitionerTest {
  @Test
  void cutsLieBetweenBlocksOfEveryTensorOfTheGroup() {
    ShardGroup group = new ShardGroup("heads", 16);
    List<Tensor> leaves =
        List.of(
            weight("q", DataType.Q4_K, 256, 512, Shard.of(1, group, 32)),
            weight("o", DataType.Q4_K, 512, 256, Shard.of(0, group, 32)));
    Partition partition = Partitioner.partition(leaves, new double[] {1, 1, 1});
    for (int m = 0; m < 3; m++) {
      assertThat(partition.from(group, m) * 32 % 256).as("member %d", m).isZero();
    }
    assertThat(Partitioner.granule(Shard.of(0, group, 32), DataType.Q4_K)).isEqualTo(8);
    assertThat(Partitioner.granule(Shard.of(1, group, 32), DataType.Q4_K)).isEqualTo(1);
    assertThat(Partitioner.granule(new Shard(0, group, List.of(32L, 48L)), DataType.Q8_0))
        .isEqualTo(2);
  }

  @Test
  void rowsOfFloatsAreCutWhereKernelsLoadThemAtOnce() {
    ShardGroup many = new ShardGroup("many", 14336);
    ShardGroup few = new ShardGroup("few", 9);
    List<Tensor> leaves =
        List.of(
            weight("down", DataType.F16, 14336, 64, Shard.of(0, many, 1)),
            weight("small", DataType.F32, 9, 64, Shard.of(0, few, 1)));
    Partition partition = Partitioner.partition(leaves, new double[] {1.0007, 1});
    assertThat(partition.from(many, 1)).isEqualTo(7168);
    assertThat(partition.from(few, 1)).isNotIn(0L, 8L, 9L);
  }

  /** However many groups there are, each member's bytes stay within one granule of its share. */
  @Test
  void bytesFollowTheSharesOverAllGroups() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      double[] weights = new double[1 + random.nextInt(8)];
      for (int m = 0; m < weights.length; m++) {
        weights[m] = random.nextInt(4) == 0 ? 0 : random.nextInt(1, 10);
      }
      weights[random.nextInt(weights.length)] = 3;
      int layers = 1 + random.nextInt(40);
      List<Tensor> leaves = new ArrayList<>();
      List<ShardGroup> groups = new ArrayList<>();
      long heads = 1 + random.nextInt(8);
      long inner = 256L * (1 + random.nextInt(12));
      for (int layer = 0; layer < layers; layer++) {
        ShardGroup attention = new ShardGroup("attention" + layer, heads);
        ShardGroup forward = new ShardGroup("forward" + layer, inner);
        groups.addAll(List.of(attention, forward));
        leaves.add(weight("q" + layer, DataType.Q4_K, 512, heads * 64, Shard.of(1, attention, 64)));
        leaves.add(weight("f" + layer, DataType.Q4_K, 512, inner, Shard.of(1, forward, 1)));
        leaves.add(weight("d" + layer, DataType.Q4_K, inner, 512, Shard.of(0, forward, 1)));
      }
      check(leaves, groups, weights, seed);
    }
  }

  private static void check(
      List<Tensor> leaves, List<ShardGroup> groups, double[] weights, int seed) {
    Partition partition = Partitioner.partition(leaves, weights);
    double sum = Arrays.stream(weights).sum();
    double[] bytes = new double[weights.length];
    double total = 0;
    double granule = 0;
    for (ShardGroup group : groups) {
      long covered = 0;
      double perUnit = 0;
      long unitsPerGranule = 1;
      for (Tensor leaf : leaves) {
        Shard shard = ((dev.consort.api.Operation.Weight) leaf.operation()).shard().orElseThrow();
        if (shard.group() == group) {
          perUnit += (double) leaf.bytes() / group.units();
          unitsPerGranule = Math.max(unitsPerGranule, Partitioner.granule(shard, leaf.type()));
        }
      }
      granule = Math.max(granule, perUnit * unitsPerGranule);
      total += perUnit * group.units();
      for (int m = 0; m < weights.length; m++) {
        assertThat(partition.from(group, m)).isEqualTo(covered);
        assertThat(partition.from(group, m) % unitsPerGranule).isZero();
        covered += partition.units(group, m);
        bytes[m] += partition.units(group, m) * perUnit;
      }
      assertThat(covered).as("units that belong to somebody").isEqualTo(group.units());
    }
    for (int m = 0; m < weights.length; m++) {
      assertThat(Math.abs(bytes[m] - total * weights[m] / sum))
          .as("seed %d, member %d of %s: %s bytes", seed, m, Arrays.toString(weights), bytes[m])
          .isLessThanOrEqualTo(granule * 1.0001);
      if (weights[m] == 0) {
        assertThat(bytes[m]).as("bytes of a member without a share").isZero();
      }
    }
  }

  private static Tensor weight(String name, DataType type, long ne0, long ne1, Shard shard) {
    return new GraphBuilder().weight(name, type, Shape.of(ne0, ne1), shard);
  }
}
