// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;

/** What tokenizers with a vocabulary in the file have in common: special tokens and decoding. */
abstract class VocabularyTokenizer implements Tokenizer {
  private static final byte[] NOTHING = {};

  private final Vocabulary vocabulary;
  private final SpecialTokens specials;
  private final Around around;
  private final Set<Integer> ends;

  /** The tokens before and after a text, and whether they are put there. */
  record Around(OptionalInt begin, OptionalInt end, boolean addBegin, boolean addEnd) {}

  VocabularyTokenizer(Vocabulary vocabulary, Around around) {
    this.vocabulary = vocabulary;
    this.specials = new SpecialTokens(vocabulary);
    this.around = around;
    this.ends = vocabulary.ends(around.end());
  }

  /** Encodes a text without special tokens; the first part of all comes after a special one. */
  abstract void encodePart(String text, boolean afterSpecial, IntList result);

  /** The bytes of a token that stands for text. */
  abstract byte[] normal(int id);

  Vocabulary vocabulary() {
    return vocabulary;
  }

  @Override
  public int size() {
    return vocabulary.size();
  }

  @Override
  public int[] encode(String text, Extra... extras) {
    Set<Extra> wanted = EnumSet.noneOf(Extra.class);
    wanted.addAll(Arrays.asList(extras));
    boolean add = wanted.contains(Extra.ADD_SPECIAL);
    IntList result = new IntList();
    if (add && around.addBegin()) {
      around.begin().ifPresent(result::add);
    }
    specials.split(text, wanted, new Parts(result));
    if (add && around.addEnd()) {
      around.end().ifPresent(result::add);
    }
    return result.toArray();
  }

  private final class Parts implements SpecialTokens.Parts {
    private final IntList result;
    private boolean afterSpecial = true;

    Parts(IntList result) {
      this.result = result;
    }

    @Override
    public void text(String text) {
      encodePart(text, afterSpecial, result);
      afterSpecial = false;
    }

    @Override
    public void token(int id) {
      result.add(id);
      afterSpecial = true;
    }
  }

  @Override
  public String decode(int... ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : ids) {
      bytes.writeBytes(piece(id));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public TokenDecoder decoder() {
    return new TokenDecoder(this::piece);
  }

  /**
   * Special tokens stand for no text, and neither do ids beyond the vocabulary, which models have.
   */
  private byte[] piece(int id) {
    if (id < 0 || id >= vocabulary.size()) {
      return NOTHING;
    }
    return switch (vocabulary.type(id)) {
      case UNKNOWN, CONTROL -> NOTHING;
      default -> normal(id);
    };
  }

  @Override
  public String text(int id) {
    return id < 0 || id >= vocabulary.size() ? "" : vocabulary.text(id);
  }

  @Override
  public OptionalInt begin() {
    return around.begin();
  }

  @Override
  public OptionalInt end() {
    return around.end();
  }

  @Override
  public boolean isEnd(int id) {
    return ends.contains(id);
  }
}
