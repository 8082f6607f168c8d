// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Tensor;

/**
 * How a product takes its activations where F32 would cost too much; the order is that of {@code
 * Kind} in activations.cuh, after NONE.
 */
enum Form {
  /** Eight bits, a scale for 32 elements and the scaled sum of 16. */
  QUANTS,
  /** F16, with a factor for each row. */
  HALVES,
  /** BF16, with a factor for each row, which is 1. */
  BRAINS;

  int kind() {
    return ordinal() + 1;
  }

  long bytes(Tensor x) {
    long elements = x.shape().elements();
    return this == QUANTS
        ? elements + elements / 8 + elements / 4
        : 2 * elements + 4 * x.shape().rows();
  }

  /** From row to row in elements; -1 where rows do not lie evenly, so that none can be made. */
  static long rowStep(Tensor x) {
    if (x.nb(0) != 4 || x.ne(0) % 4 != 0) {
      return -1;
    }
    if (x.isContiguous()) {
      return x.ne(0);
    }
    return x.shape().rows() == x.ne(1) ? x.nb(1) / 4 : -1;
  }

  /**
   * The tensor by which the form of x is known: views of the whole have the same one, if rows do
   * not matter or are the same.
   */
  Tensor key(Tensor x) {
    boolean whole = x.isContiguous() && x.shape().elements() == x.root().shape().elements();
    return whole && (this == QUANTS || x.ne(0) == x.root().ne(0)) ? x.root() : x;
  }
}
