// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;

/**
 * How a tensor may be split over the members of a meta device: along {@code axis}, in the units of
 * {@code group}.
 *
 * <p>The axis consists of segments one after another (one for a plain weight; three for a fused
 * query/key/value weight). Segment {@code s} holds {@code group.units() * elementsPerUnit.get(s)}
 * elements, and a member that owns units {@code [from, to)} of the group owns elements {@code [from
 * * e, to * e)} of every segment. Tensors of one group are always cut at the same units.
 */
@Stable(since = "1.0")
public record Shard(int axis, ShardGroup group, List<Long> elementsPerUnit) {

  public Shard {
    if (axis < 0 || axis >= Shape.AXES) {
      throw Shape.badAxis(axis);
    }
    elementsPerUnit = List.copyOf(elementsPerUnit);
    if (elementsPerUnit.isEmpty() || elementsPerUnit.stream().anyMatch(e -> e < 1)) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "a shard needs at least one element per unit in every segment, not " + elementsPerUnit);
    }
  }

  /** One segment of {@code elementsPerUnit} elements a unit. */
  public static Shard of(int axis, ShardGroup group, long elementsPerUnit) {
    return new Shard(axis, group, List.of(elementsPerUnit));
  }

  /** Elements that a unit has on the axis, over all segments. */
  public long elementsPerUnitSum() {
    return elementsPerUnit.stream().mapToLong(Long::longValue).sum();
  }

  /** The extent that the axis must have. */
  public long extent() {
    return group.units() * elementsPerUnitSum();
  }
}
