// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import java.util.ArrayList;
import java.util.List;

/** Cuts a member's rectangles down to a byte range of the whole tensor. */
final class Ranges {
  private Ranges() {}

  /**
   * What of the member's bytes lies in {@code [offset, offset + bytes)} of the whole; offsets into
   * the whole are relative to {@code offset} in the result.
   */
  static Rectangle[] cut(TensorParts parts, int member, long offset, long bytes) {
    Rectangle[] all = parts.rectangles()[member];
    if (offset == 0 && bytes == parts.tensor().bytes()) {
      return all;
    }
    List<Rectangle> found = new ArrayList<>();
    for (Rectangle r : all) {
      cut(r, offset, offset + bytes, found);
    }
    return found.toArray(Rectangle[]::new);
  }

  private static void cut(Rectangle r, long from, long to, List<Rectangle> found) {
    long first = from <= r.fullOffset() ? 0 : (from - r.fullOffset()) / r.fullStride();
    long last = Math.min(r.rows(), Math.ceilDiv(to - r.fullOffset(), r.fullStride()));
    long whole = -1;
    for (long row = first; row < last; row++) {
      long start = r.fullOffset() + row * r.fullStride();
      long end = start + r.rowBytes();
      boolean isWhole = start >= from && end <= to;
      if (isWhole && whole < 0) {
        whole = row;
      }
      if (!isWhole || row == last - 1) {
        if (whole >= 0) {
          add(r, whole, isWhole ? row + 1 : row, from, found);
          whole = -1;
        }
      }
      if (!isWhole && end > from && start < to) {
        long a = Math.max(start, from);
        long b = Math.min(end, to);
        long local = r.localOffset() + row * r.localStride() + (a - start);
        found.add(new Rectangle(a - from, b - a, local, b - a, b - a, 1));
      }
    }
  }

  private static void add(Rectangle r, long row, long end, long from, List<Rectangle> found) {
    found.add(
        new Rectangle(
            r.fullOffset() + row * r.fullStride() - from,
            r.fullStride(),
            r.localOffset() + row * r.localStride(),
            r.localStride(),
            r.rowBytes(),
            end - row));
  }
}
