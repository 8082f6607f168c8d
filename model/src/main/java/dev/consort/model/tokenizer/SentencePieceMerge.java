// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

/**
 * Cuts one text: begins with its characters and, as long as two neighbours together are a token,
 * joins the pair whose token scores best, the leftmost among equals (Kudo and Richardson, 2018, the
 * BPE model). What is no token at the end becomes tokens of bytes.
 */
final class SentencePieceMerge {
  private final Vocabulary vocabulary;
  private final int[] byteTokens;
  private final byte[] text;

  SentencePieceMerge(Vocabulary vocabulary, int[] byteTokens, byte[] text) {
    this.vocabulary = vocabulary;
    this.byteTokens = byteTokens;
    this.text = text;
  }

  void run(IntList result) {
    Symbols symbols = new Symbols(text, this::order);
    symbols.merge();
    symbols.forEach((from, to) -> emit(from, to, result));
  }

  private double order(int from, int middle, int to) {
    int id = vocabulary.find(text, from, to);
    return id >= 0 ? -vocabulary.score(id) : Symbols.NEVER;
  }

  private void emit(int from, int to, IntList result) {
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
