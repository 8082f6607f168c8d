// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.PriorityQueue;

/**
 * Cuts one word: begins with its characters and joins the pair of neighbours that stands first in
 * the list of merges, the leftmost among equals, until no pair is in it (Sennrich et al., 2016).
 */
final class BytePairMerge {
  private final Vocabulary vocabulary;
  private final StringIndex merges;
  private final byte[] word;
  private final int[] start;
  private final int[] length;
  private final int[] before;
  private final int[] after;
  private final byte[] pair;
  private final PriorityQueue<Pair> queue = new PriorityQueue<>();

  private record Pair(int left, int right, int rank, int size) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byRank = Integer.compare(rank, other.rank);
      return byRank != 0 ? byRank : Integer.compare(left, other.left);
    }
  }

  BytePairMerge(Vocabulary vocabulary, StringIndex merges, byte[] word) {
    this.vocabulary = vocabulary;
    this.merges = merges;
    this.word = word;
    this.start = new int[word.length];
    this.length = new int[word.length];
    this.before = new int[word.length];
    this.after = new int[word.length];
    this.pair = new byte[word.length + 1];
  }

  void run(IntList result) {
    int count = characters();
    for (int i = 1; i < count; i++) {
      consider(i - 1, i);
    }
    for (Pair next = queue.poll(); next != null; next = queue.poll()) {
      if (length[next.left] != 0
          && length[next.right] != 0
          && length[next.left] + length[next.right] == next.size) {
        merge(next.left, next.right);
      }
    }
    for (int i = 0; i >= 0 && count > 0; i = after[i]) {
      emit(i, result);
    }
  }

  private int characters() {
    int count = 0;
    for (int at = 0; at < word.length; count++) {
      start[count] = at;
      length[count] = Math.min(Utf8.length(word[at] & 0xff), word.length - at);
      before[count] = count - 1;
      after[count] = count + 1;
      at += length[count];
    }
    if (count > 0) {
      after[count - 1] = -1;
    }
    return count;
  }

  /** Merges are written as both parts with a space between. */
  private void consider(int left, int right) {
    if (left < 0 || right < 0) {
      return;
    }
    System.arraycopy(word, start[left], pair, 0, length[left]);
    pair[length[left]] = ' ';
    System.arraycopy(word, start[right], pair, length[left] + 1, length[right]);
    int size = length[left] + length[right];
    int rank = merges.find(pair, 0, size + 1);
    if (rank >= 0) {
      queue.add(new Pair(left, right, rank, size));
    }
  }

  private void merge(int left, int right) {
    length[left] += length[right];
    length[right] = 0;
    after[left] = after[right];
    if (after[right] >= 0) {
      before[after[right]] = left;
    }
    consider(before[left], left);
    consider(left, after[left]);
  }

  /** A part that is no token becomes the tokens of its characters, as far as there are any. */
  private void emit(int symbol, IntList result) {
    int from = start[symbol];
    int to = from + length[symbol];
    int id = vocabulary.find(word, from, to);
    if (id >= 0) {
      result.add(id);
      return;
    }
    for (int at = from; at < to; ) {
      int next = Math.min(to, at + Utf8.length(word[at] & 0xff));
      int single = vocabulary.find(word, at, next);
      if (single >= 0) {
        result.add(single);
      }
      at = next;
    }
  }
}
