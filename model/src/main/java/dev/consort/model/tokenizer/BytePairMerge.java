// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

/**
 * Cuts one word: begins with its characters and joins the pair of neighbours that stands first in
 * the list of merges, the leftmost among equals, until no pair is in it (Sennrich et al., 2016).
 */
final class BytePairMerge {
  private final Vocabulary vocabulary;
  private final StringIndex merges;
  private final byte[] word;
  private final byte[] pair;

  BytePairMerge(Vocabulary vocabulary, StringIndex merges, byte[] word) {
    this.vocabulary = vocabulary;
    this.merges = merges;
    this.word = word;
    this.pair = new byte[word.length + 1];
  }

  void run(IntList result) {
    Symbols symbols = new Symbols(word, this::rank);
    symbols.merge();
    symbols.forEach((from, to) -> emit(from, to, result));
  }

  /** Merges are written as both parts with a space between. */
  private double rank(int from, int middle, int to) {
    System.arraycopy(word, from, pair, 0, middle - from);
    pair[middle - from] = ' ';
    System.arraycopy(word, middle, pair, middle - from + 1, to - middle);
    int rank = merges.find(pair, 0, to - from + 1);
    return rank >= 0 ? rank : Symbols.NEVER;
  }

  /** A part that is no token becomes the tokens of its characters, as far as there are any. */
  private void emit(int from, int to, IntList result) {
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
