// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Finds special tokens written out in a text, longer ones first. */
final class SpecialTokens {
  private static final Set<String> NOT_STRIPPED = Set.of("<unk>", "<s>", "<|endoftext|>");

  private final List<Special> specials;

  /** Some models' special tokens swallow the white space after them. */
  private enum After {
    KEPT,
    STRIPPED
  }

  private record Special(int id, String text, boolean userDefined, After after) {}

  /** Receives a text's parts in order. */
  interface Parts {
    void text(String text);

    void token(int id);
  }

  SpecialTokens(Vocabulary vocabulary) {
    List<Special> found = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      TokenType type = vocabulary.type(id);
      boolean userDefined = type == TokenType.USER_DEFINED;
      if (userDefined || type == TokenType.CONTROL || type == TokenType.UNKNOWN) {
        String text = vocabulary.text(id);
        if (!text.isEmpty()) {
          found.add(new Special(id, text, userDefined, after(vocabulary, text)));
        }
      }
    }
    found.sort(Comparator.comparingInt((Special s) -> s.text().length()).reversed());
    this.specials = List.copyOf(found);
  }

  /** Phi 3's do, but for three; files do not say so. */
  private static After after(Vocabulary vocabulary, String text) {
    String model = vocabulary.modelName().toLowerCase(Locale.ROOT);
    boolean isPhi3 = model.contains("phi-3") || model.contains("phi3");
    return isPhi3 && !NOT_STRIPPED.contains(text) ? After.STRIPPED : After.KEPT;
  }

  /** Cuts a text at user-defined tokens and, with PARSE_SPECIAL, at all special ones. */
  void split(String text, Set<Tokenizer.Extra> extras, Parts parts) {
    List<Object> pieces = new ArrayList<>();
    if (!text.isEmpty()) {
      pieces.add(text);
    }
    for (Special special : specials) {
      if (special.userDefined() || extras.contains(Tokenizer.Extra.PARSE_SPECIAL)) {
        pieces = cut(pieces, special);
      }
    }
    for (Object piece : pieces) {
      if (piece instanceof String string) {
        parts.text(string);
      } else {
        parts.token((Integer) piece);
      }
    }
  }

  private static List<Object> cut(List<Object> pieces, Special special) {
    List<Object> result = new ArrayList<>();
    for (Object piece : pieces) {
      if (!(piece instanceof String text)) {
        result.add(piece);
        continue;
      }
      int from = 0;
      for (int at = text.indexOf(special.text());
          at >= 0;
          at = text.indexOf(special.text(), from)) {
        if (at > from) {
          result.add(text.substring(from, at));
        }
        result.add(special.id());
        from = at + special.text().length();
        while (special.after() == After.STRIPPED
            && from < text.length()
            && Character.isWhitespace(text.charAt(from))) {
          from++;
        }
      }
      if (from < text.length()) {
        result.add(text.substring(from));
      }
    }
    return result;
  }
}
