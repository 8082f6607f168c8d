// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** Extents of a tensor, {@code ne0} being the axis whose elements are neighbours in memory. */
@Stable(since = "1.0")
public record Shape(long ne0, long ne1, long ne2, long ne3) {
  /** Number of axes; unused ones have extent 1. */
  public static final int AXES = 4;

  /** An extent may be 0: such a tensor has no elements and no storage. */
  public Shape {
    if (ne0 < 0 || ne1 < 0 || ne2 < 0 || ne3 < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "negative extent in [%d, %d, %d, %d]".formatted(ne0, ne1, ne2, ne3));
    }
    try {
      Math.multiplyExact(Math.multiplyExact(ne0, ne1), Math.multiplyExact(ne2, ne3));
    } catch (ArithmeticException e) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "[%d, %d, %d, %d] has more elements than can be counted".formatted(ne0, ne1, ne2, ne3),
          e);
    }
  }

  public static Shape of(long ne0) {
    return new Shape(ne0, 1, 1, 1);
  }

  public static Shape of(long ne0, long ne1) {
    return new Shape(ne0, ne1, 1, 1);
  }

  public static Shape of(long ne0, long ne1, long ne2) {
    return new Shape(ne0, ne1, ne2, 1);
  }

  public static Shape of(long ne0, long ne1, long ne2, long ne3) {
    return new Shape(ne0, ne1, ne2, ne3);
  }

  /** Extent of {@code axis}, 0 to 3. */
  public long ne(int axis) {
    return switch (axis) {
      case 0 -> ne0;
      case 1 -> ne1;
      case 2 -> ne2;
      case 3 -> ne3;
      default -> throw badAxis(axis);
    };
  }

  /** This shape with another extent on {@code axis}. */
  public Shape with(int axis, long extent) {
    return switch (axis) {
      case 0 -> new Shape(extent, ne1, ne2, ne3);
      case 1 -> new Shape(ne0, extent, ne2, ne3);
      case 2 -> new Shape(ne0, ne1, extent, ne3);
      case 3 -> new Shape(ne0, ne1, ne2, extent);
      default -> throw badAxis(axis);
    };
  }

  public long elements() {
    return ne0 * ne1 * ne2 * ne3;
  }

  /** Number of runs along axis 0. */
  public long rows() {
    return ne1 * ne2 * ne3;
  }

  public boolean isEmpty() {
    return elements() == 0;
  }

  /** The highest axis whose extent is not 1, at least 0. */
  public int lastAxis() {
    return ne3 != 1 ? 3 : ne2 != 1 ? 2 : ne1 != 1 ? 1 : 0;
  }

  static ConsortException badAxis(int axis) {
    return new ConsortException(ErrorCode.INVALID_ARGUMENT, "axis " + axis + " is not 0 to 3");
  }

  @Override
  public String toString() {
    return "[" + ne0 + ", " + ne1 + ", " + ne2 + ", " + ne3 + "]";
  }
}
