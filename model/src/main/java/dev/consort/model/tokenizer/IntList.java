// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.Arrays;

/** A growing array. */
final class IntList {
  private int[] values = new int[64];
  private int size;

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  int[] toArray() {
    return Arrays.copyOf(values, size);
  }
}
