// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.Metadata;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/** The kinds of tokenizers there are, by the name that files give them. */
public final class Tokenizers {
  private static final String MODEL = "tokenizer.ggml.model";
  private static final String NONE = "no_vocab";
  private static final Map<String, Function<Metadata, Tokenizer>> KINDS =
      new TreeMap<>(Map.of("llama", SentencePieceTokenizer::read, "gpt2", BytePairTokenizer::read));

  private Tokenizers() {}

  /**
   * The tokenizer in a model's file; empty if it has none.
   *
   * @throws ConsortException UNSUPPORTED for a kind that is not known here, INVALID_FILE if its
   *     data are broken
   */
  public static Optional<Tokenizer> read(GgufFile file) {
    Metadata metadata = file.metadata();
    String kind = metadata.string(MODEL, NONE);
    if (kind.equals(NONE) || kind.equals("none")) {
      return Optional.empty();
    }
    Function<Metadata, Tokenizer> reader = KINDS.get(kind);
    if (reader == null) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s: found tokenizer model \"%s\" (pre-tokenizer \"%s\"), expected one of %s; %s"
              .formatted(
                  file.path(),
                  kind,
                  metadata.string("tokenizer.ggml.pre", "none"),
                  String.join(", ", KINDS.keySet()),
                  "give token ids instead of text, or choose another model"));
    }
    return Optional.of(reader.apply(metadata));
  }
}
