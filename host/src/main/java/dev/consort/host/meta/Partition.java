// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.ShardGroup;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which units of every shard group belong to which member. */
public final class Partition {
  private final int members;
  private final Map<String, long[]> cuts;

  /**
   * @param cuts for each group {@code members + 1} ascending unit numbers from 0 to the group's
   *     units
   */
  Partition(int members, Map<String, long[]> cuts) {
    this.members = members;
    this.cuts = new LinkedHashMap<>(cuts);
  }

  public int members() {
    return members;
  }

  /** The member's first unit. */
  public long from(ShardGroup group, int member) {
    return cuts(group)[member];
  }

  /** How many units the member has, possibly none. */
  public long units(ShardGroup group, int member) {
    long[] at = cuts(group);
    return at[member + 1] - at[member];
  }

  /** Whether the member has any unit of any group. */
  public boolean hasWork(int member) {
    return cuts.isEmpty() || cuts.values().stream().anyMatch(at -> at[member + 1] > at[member]);
  }

  private long[] cuts(ShardGroup group) {
    long[] at = cuts.get(group.name());
    if (at == null) {
      throw new ConsortException(
          ErrorCode.INTERNAL, "shard group " + group.name() + " was not partitioned");
    }
    return at;
  }
}
