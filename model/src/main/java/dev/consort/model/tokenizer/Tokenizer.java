// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.OptionalInt;

/** Turns text into token ids and ids into text. Thread safe; valid as long as the file is open. */
public interface Tokenizer {

  /** What encoding does besides cutting text. */
  enum Extra {
    /** Puts the tokens around the text that the model was trained with: begin, end. */
    ADD_SPECIAL,
    /** Takes special tokens that are written out in the text, {@code <s>}, for these tokens. */
    PARSE_SPECIAL
  }

  /** Tokens there are; ids run from 0 to one less. */
  int size();

  int[] encode(String text, Extra... extras);

  /** The text of a whole sequence; special tokens have none. */
  String decode(int... ids);

  /** A decoder for tokens that continue a text. */
  TokenDecoder decoder();

  /** The token as the vocabulary writes it, for people. */
  String text(int id);

  OptionalInt begin();

  OptionalInt end();

  /** Whether a model that says this token has finished. */
  boolean isEnd(int id);
}
