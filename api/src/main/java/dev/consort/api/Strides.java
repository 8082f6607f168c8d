// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** Bytes from one element (for axis 0: one block) to the next along each axis. */
@Stable(since = "1.0")
public record Strides(long nb0, long nb1, long nb2, long nb3) {

  /** The strides of a tensor without gaps. */
  public static Strides contiguous(DataType type, Shape shape) {
    long nb1 = type.bytes(shape.ne0());
    long nb2 = nb1 * shape.ne1();
    return new Strides(type.blockBytes(), nb1, nb2, nb2 * shape.ne2());
  }

  /** Whether these are the strides of a tensor without gaps. Allocates nothing. */
  public boolean isContiguous(DataType type, Shape shape) {
    long row = type.bytes(shape.ne0());
    long plane = row * shape.ne1();
    return nb0 == type.blockBytes() && nb1 == row && nb2 == plane && nb3 == plane * shape.ne2();
  }

  /** Stride of {@code axis}, 0 to 3. */
  public long nb(int axis) {
    return switch (axis) {
      case 0 -> nb0;
      case 1 -> nb1;
      case 2 -> nb2;
      case 3 -> nb3;
      default -> throw Shape.badAxis(axis);
    };
  }
}
