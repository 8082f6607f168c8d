// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.meta.SplitState.OnAxis;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One tensor's pieces on the members: their storage, and which bytes of the whole each holds.
 *
 * @param storages null for a member that holds nothing
 * @param rectangles one a segment of the split axis, in bytes of the whole's data type
 */
record TensorParts(
    Tensor tensor, SplitState state, @Nullable Storage[] storages, Rectangle[][] rectangles) {

  static TensorParts of(
      Tensor full, SplitState state, Partition partition, @Nullable Storage[] storages) {
    Rectangle[][] rectangles = new Rectangle[storages.length][];
    for (int m = 0; m < storages.length; m++) {
      rectangles[m] =
          storages[m] == null ? new Rectangle[0] : rectangles(full, state, partition, m);
    }
    return new TensorParts(full, state, storages, rectangles);
  }

  /** Whether every member that holds any of it holds all of it. */
  boolean isWhole() {
    return !(state instanceof OnAxis);
  }

  /** Whether the member holds its piece in another data type. */
  boolean isRecoded(int member) {
    Storage part = storages[member];
    return part != null && part.tensor().type() != tensor.type();
  }

  /** Which bytes of the whole the member holds. */
  static Rectangle[] rectangles(Tensor full, SplitState state, Partition partition, int member) {
    if (!(state instanceof OnAxis on)) {
      return full.bytes() == 0 ? new Rectangle[0] : new Rectangle[] {Rectangle.whole(full.bytes())};
    }
    Shape shape = full.shape();
    DataType type = full.type();
    Shape local = state.localShape(shape, partition, member);
    if (local.isEmpty()) {
      return new Rectangle[0];
    }
    long inner = 1;
    for (int i = 0; i < on.axis(); i++) {
      inner *= shape.ne(i);
    }
    long rows = shape.elements() / (inner * shape.ne(on.axis()));
    long fullStride = type.bytes(inner * shape.ne(on.axis()));
    long localStride = type.bytes(inner * local.ne(on.axis()));
    List<Rectangle> found = new ArrayList<>();
    long segmentStart = 0;
    long localStart = 0;
    for (long perUnit : on.elementsPerUnit()) {
      long from = segmentStart + partition.from(on.group(), member) * perUnit;
      long length = partition.units(on.group(), member) * perUnit;
      found.add(
          merged(
              new Rectangle(
                  type.bytes(from * inner),
                  fullStride,
                  type.bytes(localStart * inner),
                  localStride,
                  type.bytes(length * inner),
                  rows)));
      segmentStart += on.group().units() * perUnit;
      localStart += length;
    }
    return found.toArray(Rectangle[]::new);
  }

  /** Rows without gaps on either side are one row. */
  private static Rectangle merged(Rectangle r) {
    boolean gapless = r.rowBytes() == r.fullStride() && r.rowBytes() == r.localStride();
    return gapless && r.rows() > 1
        ? new Rectangle(
            r.fullOffset(),
            r.fullStride() * r.rows(),
            r.localOffset(),
            r.localStride() * r.rows(),
            r.rowBytes() * r.rows(),
            1)
        : r;
  }
}
