// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import java.util.Arrays;

/** All elements of a tensor in order, axis 0 fastest. */
final class Flat {
  private Flat() {}

  static float[] read(Operand x) {
    int length = Math.toIntExact(x.ne(0));
    float[] all = new float[Math.toIntExact(x.tensor().shape().elements())];
    for (int at = 0; at < all.length; at += length) {
      int row = at / length;
      float[] elements = x.row(axis1(x, row), axis2(x, row), axis3(x, row));
      System.arraycopy(elements, 0, all, at, length);
    }
    return all;
  }

  static int[] readIndices(Operand x) {
    int length = Math.toIntExact(x.ne(0));
    int[] all = new int[Math.toIntExact(x.tensor().shape().elements())];
    for (int at = 0; at < all.length; at++) {
      int row = at / length;
      all[at] = x.index(at % length, axis1(x, row), axis2(x, row), axis3(x, row));
    }
    return all;
  }

  static void write(Operand to, float[] all) {
    int length = Math.toIntExact(to.ne(0));
    for (int at = 0; at < all.length; at += length) {
      int row = at / length;
      to.putRow(
          axis1(to, row), axis2(to, row), axis3(to, row), Arrays.copyOfRange(all, at, at + length));
    }
  }

  private static long axis1(Operand x, long row) {
    return row % x.ne(1);
  }

  private static long axis2(Operand x, long row) {
    return row / x.ne(1) % x.ne(2);
  }

  private static long axis3(Operand x, long row) {
    return row / x.ne(1) / x.ne(2);
  }
}
