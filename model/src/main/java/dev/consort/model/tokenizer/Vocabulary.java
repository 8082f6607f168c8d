// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.model.gguf.Metadata;
import dev.consort.model.gguf.StringArray;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** A model's tokens: their bytes, scores and kinds, found by id or by bytes. Thread safe. */
final class Vocabulary {
  static final String PREFIX = "tokenizer.ggml.";
  private static final List<String> ENDS =
      List.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<|return|>",
          "<|call|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<|eom_id|>",
          "<EOT>");

  private final Metadata metadata;
  private final StringArray tokens;
  private final float[] scores;
  private final int[] types;
  private final StringIndex index;

  /**
   * Reads the arrays.
   *
   * @throws dev.consort.api.ConsortException INVALID_FILE if they do not fit together
   */
  Vocabulary(Metadata metadata) {
    this.metadata = metadata;
    this.tokens = metadata.strings(PREFIX + "tokens");
    int size = tokens.size();
    if (size == 0) {
      throw metadata.invalid(PREFIX + "tokens", "empty", "at least one token");
    }
    this.scores =
        metadata.has(PREFIX + "scores") ? metadata.floats(PREFIX + "scores") : new float[size];
    this.types =
        metadata.has(PREFIX + "token_type")
            ? metadata.integers(PREFIX + "token_type")
            : filled(size, TokenType.NORMAL.ordinal());
    requireSize("scores", scores.length);
    requireSize("token_type", types.length);
    this.index = new StringIndex(tokens);
  }

  int size() {
    return tokens.size();
  }

  float score(int id) {
    return scores[id];
  }

  TokenType type(int id) {
    return TokenType.of(types[id]);
  }

  String text(int id) {
    return tokens.get(id);
  }

  byte[] bytes(int id) {
    return Arrays.copyOfRange(tokens.bytes(), tokens.start(id), tokens.end(id));
  }

  /** The token of these bytes, or -1. */
  int find(byte[] text, int from, int to) {
    return index.find(text, from, to);
  }

  int find(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return find(utf8, 0, utf8.length);
  }

  /** The id that a key names, or the default's if the key is absent and that token exists. */
  OptionalInt special(String key, int otherwise) {
    String name = PREFIX + key;
    if (!metadata.has(name)) {
      return otherwise >= 0 && otherwise < size() ? OptionalInt.of(otherwise) : OptionalInt.empty();
    }
    long id = metadata.integer(name);
    if (id == 0xffff_ffffL || id == -1) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(metadata.integer(name, 0, size() - 1));
  }

  /** What the file calls the model. */
  String modelName() {
    return metadata.string("general.name", "");
  }

  boolean flag(String key, boolean otherwise) {
    return metadata.flag(PREFIX + key, otherwise);
  }

  /** Tokens after which a model has nothing to say. */
  Set<Integer> ends(OptionalInt end) {
    Set<Integer> ids = new HashSet<>();
    end.ifPresent(ids::add);
    special("eot_token_id", -1).ifPresent(ids::add);
    special("eom_token_id", -1).ifPresent(ids::add);
    for (String text : ENDS) {
      int id = find(text);
      if (id >= 0 && type(id) != TokenType.NORMAL) {
        ids.add(id);
      }
    }
    return Set.copyOf(ids);
  }

  private static int[] filled(int size, int value) {
    int[] array = new int[size];
    Arrays.fill(array, value);
    return array;
  }

  private void requireSize(String key, int found) {
    if (found != size()) {
      throw metadata.invalid(
          PREFIX + key, "of " + found + " entries", "one for each of the " + size() + " tokens");
    }
  }
}
