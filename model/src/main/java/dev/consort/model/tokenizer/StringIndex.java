// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.model.gguf.StringArray;
import java.util.Arrays;

/** Finds strings of an array by their bytes; of equal ones the last. Immutable. */
final class StringIndex {
  private final StringArray strings;
  private final byte[] bytes;
  private final int[] slots;

  StringIndex(StringArray strings) {
    this.strings = strings;
    this.bytes = strings.bytes();
    this.slots = new int[Integer.highestOneBit(2 * strings.size() + 1) * 2];
    for (int i = 0; i < strings.size(); i++) {
      slots[slot(bytes, strings.start(i), strings.end(i))] = i + 1;
    }
  }

  /** The index of the string with these bytes, or -1. */
  int find(byte[] text, int from, int to) {
    return slots[slot(text, from, to)] - 1;
  }

  /** Where the string is, or where it would be. */
  private int slot(byte[] text, int from, int to) {
    int hash = 0x811c9dc5;
    for (int i = from; i < to; i++) {
      hash = (hash ^ text[i]) * 0x01000193;
    }
    int slot = (hash ^ hash >>> 15) & slots.length - 1;
    while (slots[slot] != 0 && !isAt(slots[slot] - 1, text, from, to)) {
      slot = slot + 1 & slots.length - 1;
    }
    return slot;
  }

  private boolean isAt(int index, byte[] text, int from, int to) {
    return Arrays.equals(bytes, strings.start(index), strings.end(index), text, from, to);
  }
}
