// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.PriorityQueue;

/**
 * Cuts one text: begins with its characters and, as long as two neighbours together are a token,
 * joins the pair whose token scores best, the leftmost among equals (Kudo and Richardson, 2018, the
 * BPE model). What is no token at the end becomes tokens of bytes.
 */
final class SentencePieceMerge {
  private final Vocabulary vocabulary;
  private final int[] byteTokens;
  private final byte[] text;
  private final int[] start;
  private final int[] length;
  private final int[] before;
  private final int[] after;
  private final PriorityQueue<Pair> queue = new PriorityQueue<>();

  private record Pair(int left, int right, float score, int size) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byScore = Float.compare(other.score, score);
      return byScore != 0 ? byScore : Integer.compare(left, other.left);
    }
  }

  SentencePieceMerge(Vocabulary vocabulary, int[] byteTokens, byte[] text) {
    this.vocabulary = vocabulary;
    this.byteTokens = byteTokens;
    this.text = text;
    this.start = new int[text.length];
    this.length = new int[text.length];
    this.before = new int[text.length];
    this.after = new int[text.length];
  }

  void run(IntList result) {
    int count = characters();
    for (int i = 1; i < count; i++) {
      consider(i - 1, i);
    }
    for (Pair pair = queue.poll(); pair != null; pair = queue.poll()) {
      if (length[pair.left] != 0
          && length[pair.right] != 0
          && length[pair.left] + length[pair.right] == pair.size) {
        merge(pair.left, pair.right);
      }
    }
    for (int i = 0; i >= 0 && count > 0; i = after[i]) {
      emit(i, result);
    }
  }

  private int characters() {
    int count = 0;
    for (int at = 0; at < text.length; count++) {
      start[count] = at;
      length[count] = Math.min(Utf8.length(text[at] & 0xff), text.length - at);
      before[count] = count - 1;
      after[count] = count + 1;
      at += length[count];
    }
    if (count > 0) {
      after[count - 1] = -1;
    }
    return count;
  }

  private void consider(int left, int right) {
    if (left < 0 || right < 0) {
      return;
    }
    int size = length[left] + length[right];
    int id = vocabulary.find(text, start[left], start[left] + size);
    if (id >= 0) {
      queue.add(new Pair(left, right, vocabulary.score(id), size));
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

  private void emit(int symbol, IntList result) {
    int from = start[symbol];
    int to = from + length[symbol];
    int id = vocabulary.find(text, from, to);
    if (id >= 0) {
      result.add(id);
      return;
    }
    for (int at = from; at < to; at++) {
      result.add(byteTokens[text[at] & 0xff]);
    }
  }
}
