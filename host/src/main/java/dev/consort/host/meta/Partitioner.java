// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Cuts shard groups in proportion to the members' shares. A cut falls on a granule: the fewest
 * units for which every tensor of the group is cut between quantisation blocks, and rows of floats
 * at eight elements, as far as there are enough: devices load those at once. What rounding leaves
 * over is carried from group to group, in bytes, so that the members' memory stays within one
 * granule of their share however many groups there are.
 */
final class Partitioner {
  /** Floats that kernels load at once. */
  private static final long WIDE = 8;

  /** So many wide granules a member make a coarser cut harmless. */
  private static final long ENOUGH = 8;

  private final double[] share;
  private final double[] owed;
  private final Map<String, long[]> cuts = new LinkedHashMap<>();

  private Partitioner(double[] shares) {
    double sum = Arrays.stream(shares).sum();
    share = Arrays.stream(shares).map(w -> w / sum).toArray();
    owed = new double[shares.length];
  }

  private record Group(ShardGroup group, long granule, long bytesPerUnit) {}

  /** The partition of all groups that the leaves declare, in the order of first appearance. */
  static Partition partition(Collection<Tensor> leaves, double[] shares) {
    Map<String, Group> groups = new LinkedHashMap<>();
    for (Tensor leaf : leaves) {
      if (leaf.operation() instanceof Operation.Leaf op && op.shard().isPresent()) {
        Shard shard = op.shard().get();
        long weightBytes =
            op instanceof Operation.Weight ? leaf.bytes() / shard.group().units() : 0;
        long granule = granule(shard, leaf.type());
        boolean enough = shard.group().units() >= WIDE * ENOUGH * shares.length;
        if (shard.axis() == 0 && !leaf.type().isQuantized() && enough) {
          granule = lcm(granule, wide(shard));
        }
        Group own = new Group(shard.group(), granule, weightBytes);
        groups.merge(shard.group().name(), own, Partitioner::join);
      }
    }
    var partitioner = new Partitioner(shares);
    groups.values().forEach(partitioner::cut);
    return new Partition(shares.length, partitioner.cuts);
  }

  /** The fewest units whose elements are whole blocks in every segment. */
  static long granule(Shard shard, DataType type) {
    if (shard.axis() != 0) {
      return 1;
    }
    long block = type.blockElements();
    return shard.elementsPerUnit().stream()
        .mapToLong(e -> block / gcd(block, e))
        .reduce(1, Partitioner::lcm);
  }

  private static long wide(Shard shard) {
    return shard.elementsPerUnit().stream()
        .mapToLong(e -> WIDE / gcd(WIDE, e))
        .reduce(1, Partitioner::lcm);
  }

  private static Group join(Group a, Group b) {
    return new Group(a.group, lcm(a.granule, b.granule), a.bytesPerUnit + b.bytesPerUnit);
  }

  private void cut(Group group) {
    long units = group.group.units();
    long granule = Math.min(group.granule, units);
    long granules = (units + granule - 1) / granule;
    double bytes = Math.max(1.0, (double) group.bytesPerUnit * granule);
    int n = share.length;
    double[] wish = new double[n];
    long[] count = new long[n];
    long left = granules;
    for (int m = 0; m < n; m++) {
      wish[m] = share[m] == 0 ? 0 : Math.max(0, share[m] * granules + owed[m] / bytes);
      count[m] = Math.min(left, (long) Math.floor(wish[m] + 1e-9));
      left -= count[m];
    }
    while (left > 0) {
      int neediest = -1;
      for (int m = 0; m < n; m++) {
        if (share[m] > 0
            && (neediest < 0 || wish[m] - count[m] > wish[neediest] - count[neediest] + 1e-9)) {
          neediest = m;
        }
      }
      count[neediest]++;
      left--;
    }
    long[] at = new long[n + 1];
    for (int m = 0; m < n; m++) {
      owed[m] += (share[m] * granules - count[m]) * bytes;
      at[m + 1] = Math.min(units, at[m] + count[m] * granule);
    }
    at[n] = units;
    cuts.put(group.group.name(), at);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static long lcm(long a, long b) {
    return a / gcd(a, b) * b;
  }
}
