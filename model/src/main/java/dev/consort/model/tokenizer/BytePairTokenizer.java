// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.model.gguf.Metadata;
import java.nio.charset.StandardCharsets;

/** The tokenizer that files call {@code gpt2}: byte-level BPE over pre-tokenized words. */
final class BytePairTokenizer extends VocabularyTokenizer {
  private final PreTokenizer preTokenizer;
  private final StringIndex merges;

  private BytePairTokenizer(Vocabulary vocabulary, PreTokenizer pre, StringIndex merges) {
    super(
        vocabulary,
        new Around(
            vocabulary.special("bos_token_id", -1),
            vocabulary.special("eos_token_id", -1),
            vocabulary.flag("add_bos_token", pre.addsBegin()),
            vocabulary.flag("add_eos_token", false)));
    this.preTokenizer = pre;
    this.merges = merges;
  }

  static BytePairTokenizer read(Metadata metadata) {
    PreTokenizer pre = PreTokenizer.read(metadata);
    StringIndex merges = new StringIndex(metadata.strings(Vocabulary.PREFIX + "merges"));
    return new BytePairTokenizer(new Vocabulary(metadata), pre, merges);
  }

  @Override
  void encodePart(String text, boolean afterSpecial, IntList result) {
    for (String word : preTokenizer.words(text)) {
      byte[] written = ByteAlphabet.write(word);
      int whole = preTokenizer.wholeWords() ? vocabulary().find(written, 0, written.length) : -1;
      if (whole >= 0) {
        result.add(whole);
      } else {
        new BytePairMerge(vocabulary(), merges, written).run(result);
      }
    }
  }

  @Override
  byte[] normal(int id) {
    return vocabulary().type(id) == TokenType.USER_DEFINED
        ? vocabulary().text(id).getBytes(StandardCharsets.UTF_8)
        : ByteAlphabet.read(vocabulary().text(id));
  }
}
