// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.PriorityQueue;

/**
 * The symbols of a text: its characters at first, then what they are joined to, pair of neighbours
 * by pair of neighbours.
 */
final class Symbols {
  /** No pair to be joined. */
  static final double NEVER = Double.NaN;

  /** Says which pairs are joined, and in which order. */
  @FunctionalInterface
  interface Pairs {
    /**
     * The place of a pair among all, the lowest first; or {@link #NEVER}.
     *
     * @param from the first byte of the left symbol
     * @param middle the first byte of the right symbol
     * @param to the byte behind it
     */
    double order(int from, int middle, int to);
  }

  /** Hears of a symbol's bytes. */
  @FunctionalInterface
  interface Span {
    void accept(int from, int to);
  }

  private record Pair(int left, int right, double order, int size) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byOrder = Double.compare(order, other.order);
      return byOrder != 0 ? byOrder : Integer.compare(left, other.left);
    }
  }

  private final Pairs pairs;
  private final int[] start;
  private final int[] length;
  private final int[] before;
  private final int[] after;
  private final int count;
  private final PriorityQueue<Pair> queue = new PriorityQueue<>();

  /**
   * @param text in UTF-8
   */
  Symbols(byte[] text, Pairs pairs) {
    this.pairs = pairs;
    this.start = new int[text.length];
    this.length = new int[text.length];
    this.before = new int[text.length];
    this.after = new int[text.length];
    this.count = characters(text);
  }

  private int characters(byte[] text) {
    int found = 0;
    for (int at = 0; at < text.length; found++) {
      start[found] = at;
      length[found] = Math.min(Utf8.length(text[at] & 0xff), text.length - at);
      before[found] = found - 1;
      after[found] = found + 1;
      at += length[found];
    }
    if (found > 0) {
      after[found - 1] = -1;
    }
    return found;
  }

  /** Joins the pair that comes first, the leftmost among equals, until there is none. */
  void merge() {
    for (int i = 1; i < count; i++) {
      consider(i - 1, i);
    }
    for (Pair next = queue.poll(); next != null; next = queue.poll()) {
      boolean unchanged =
          length[next.left] != 0
              && length[next.right] != 0
              && length[next.left] + length[next.right] == next.size;
      if (unchanged) {
        join(next.left, next.right);
      }
    }
  }

  private void consider(int left, int right) {
    if (left < 0 || right < 0) {
      return;
    }
    int to = start[right] + length[right];
    double order = pairs.order(start[left], start[right], to);
    if (!Double.isNaN(order)) {
      queue.add(new Pair(left, right, order, to - start[left]));
    }
  }

  private void join(int left, int right) {
    length[left] += length[right];
    length[right] = 0;
    after[left] = after[right];
    if (after[right] >= 0) {
      before[after[right]] = left;
    }
    consider(before[left], left);
    consider(left, after[left]);
  }

  /** From left to right. */
  void forEach(Span each) {
    for (int i = 0; i >= 0 && count > 0; i = after[i]) {
      each.accept(start[i], start[i] + length[i]);
    }
  }
}
