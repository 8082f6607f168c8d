// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.List;

/** How one tensor lies on the members. */
public sealed interface SplitState {
  SplitState MIRRORED = new Mirrored();
  SplitState PARTIAL = new Partial();

  /** Every member holds all of it. */
  record Mirrored() implements SplitState {}

  /** Every member holds a term of a sum. */
  record Partial() implements SplitState {}

  /** One member holds all of it, the others nothing. */
  record Owned(int member) implements SplitState {}

  /** Members hold slices of one axis, cut as {@link Shard} describes. */
  record OnAxis(int axis, ShardGroup group, List<Long> elementsPerUnit) implements SplitState {
    static OnAxis of(Shard shard) {
      return new OnAxis(shard.axis(), shard.group(), shard.elementsPerUnit());
    }

    OnAxis axis(int other) {
      return new OnAxis(other, group, elementsPerUnit);
    }
  }

  /** What a leaf declares. */
  static SplitState declared(Tensor leaf) {
    return leaf.operation() instanceof dev.consort.api.Operation.Leaf op
        ? op.shard().<SplitState>map(OnAxis::of).orElse(MIRRORED)
        : MIRRORED;
  }

  default boolean isOnAxis(int axis) {
    return this instanceof OnAxis on && on.axis() == axis;
  }

  default boolean isPartial() {
    return this instanceof Partial;
  }

  default boolean isMirrored() {
    return this instanceof Mirrored;
  }

  /** The shape of the member's piece of a tensor of shape {@code full}. */
  default Shape localShape(Shape full, Partition partition, int member) {
    return switch (this) {
      case Mirrored m -> full;
      case Partial p -> full;
      case Owned o -> o.member() == member ? full : full.with(full.lastAxis(), 0);
      case OnAxis on -> {
        long units = partition.units(on.group(), member);
        long perUnit = on.elementsPerUnit().stream().mapToLong(Long::longValue).sum();
        yield full.with(on.axis(), units * perUnit);
      }
    };
  }

  /** For tables and messages. */
  default String label() {
    return switch (this) {
      case Mirrored m -> "mirrored";
      case Partial p -> "partial";
      case Owned o -> "member " + o.member();
      case OnAxis on -> "axis " + on.axis();
    };
  }
}
