// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.model.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * A SentencePiece vocabulary that can encode every text: special tokens, bytes, printable ASCII,
 * and made-up words up to the size.
 */
final class DummyVocabulary {
  private static final int BYTES = 256;
  private static final int SPECIALS = 3;
  private static final int CONTROL = 3;
  private static final int UNKNOWN = 2;
  private static final int NORMAL = 1;
  private static final int BYTE = 6;

  private DummyVocabulary() {}

  /** Writes it; a vocabulary without room for all bytes is written as none. */
  static void write(GgufWriter writer, int size) {
    if (size < SPECIALS + BYTES) {
      writer.string("tokenizer.ggml.model", "no_vocab");
      return;
    }
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < BYTES; b++) {
      tokens.add("<0x%02X>".formatted(b));
    }
    tokens.add("\u2581");
    for (char c = '!'; c <= '~'; c++) {
      tokens.add(String.valueOf(c));
    }
    while (tokens.size() < size) {
      tokens.add("\u2581w" + tokens.size());
    }
    int[] types = new int[size];
    float[] scores = new float[size];
    for (int id = 0; id < size; id++) {
      types[id] =
          id == 0 ? UNKNOWN : id < SPECIALS ? CONTROL : id < SPECIALS + BYTES ? BYTE : NORMAL;
      scores[id] = types[id] == NORMAL ? -id : 0;
    }
    writer
        .string("tokenizer.ggml.model", "llama")
        .strings("tokenizer.ggml.tokens", tokens.subList(0, size))
        .floats("tokenizer.ggml.scores", scores)
        .integers("tokenizer.ggml.token_type", types)
        .integer("tokenizer.ggml.unknown_token_id", 0)
        .integer("tokenizer.ggml.bos_token_id", 1)
        .integer("tokenizer.ggml.eos_token_id", 2)
        .flag("tokenizer.ggml.add_bos_token", true);
  }
}
