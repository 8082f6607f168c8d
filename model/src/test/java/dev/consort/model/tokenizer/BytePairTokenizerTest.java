// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Byte-level BPE on a made-up vocabulary; the system property {@code consort.tokenizers} names a
 * folder with real ones ({@code NAME.gguf}, {@code NAME.gguf.inp}, {@code NAME.gguf.out}).
 */
class BytePairTokenizerTest {
  private static final int BYTES = 256;

  /** Written as N in the table. */
  private static final char LINE_END = '\n';

  @TempDir Path folder;

  @Test
  void everyTextOfTheFolderGivesTheExpectedIds() throws IOException {
    String given = System.getProperty("consort.tokenizers", "");
    assumeThat(given).as("no folder given").isNotEmpty();
    try (Stream<Path> files = Files.list(Path.of(given))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".gguf")).toList()) {
        new TokenizerFixtures(file).check();
      }
    }
  }

  @Test
  void pairsAreMergedInTheOrderOfTheList() {
    Tokenizer tokenizer = tokenizer("gpt-2", "b c", "a b", "ab c", "\u0120 a");
    assertThat(texts(tokenizer, "abc")).containsExactly("a", "bc");
    assertThat(texts(tokenizer, "ab")).containsExactly("ab");
    assertThat(texts(tokenizer, "x ab")).containsExactly("x", "\u0120", "ab");
    assertThat(texts(tokenizer, " a")).containsExactly("\u0120a");
  }

  @Test
  void wholeWordsComeFirstWhereThePreTokenizerSaysSo() {
    String[] merges = {"b c", "a b", "ab c"};
    assertThat(texts(tokenizer("gpt-2", merges), "abc")).containsExactly("a", "bc");
    assertThat(texts(tokenizer("llama-bpe", merges), "abc")).containsExactly("abc");
  }

  @Test
  void everyTextComesBackFromItsBytes() {
    Tokenizer tokenizer = tokenizer("gpt-2", "\u00c3 \u00a4");
    String text = "\u00e4\u00df \n\t\u0000\u00ad 🦙 \u7f8a\r\n  end";
    assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    TokenDecoder decoder = tokenizer.decoder();
    var streamed = new StringBuilder();
    for (int id : tokenizer.encode(text)) {
      streamed.append(decoder.append(id));
    }
    assertThat(streamed + decoder.finish()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "gpt-2; I've 1234  x!; I|'ve| 1234| | x|!",
        "starcoder; a 1234; a| |1|2|3|4",
        "refact; a'll 12; a|'ll| |1|2",
        "mpt; x  y's 12; x| | y|'s| 12",
        "falcon; I've 12345 $x!; I|'|ve| |123|45| |$|x|!",
        "llama-bpe; We'Ve 12345 x.; We|'Ve| |123|45| x|.",
        "llama-bpe; a !!NN  b; a| !!NN| | b",
        "llama-bpe; a  N  N b; a|  N  N| b",
        "qwen2; ab 123; ab| |1|2|3",
        "qwen2; \u4f60\u597d\uff0cabc; \u4f60\u597d|\uff0cabc",
        "seed-coder; we're 12!; we|'re| |1|2|!",
        "gpt-4o; HelloWorld's 1234; Hello|World's| |123|4",
        "gpt-4o; DO'S camelCase x/N; DO'S| camel|Case| x|/N",
        "tekken; HelloWORLD 12; Hello|WORLD| |1|2",
        "tekken; don't 42; don|'t| |4|2",
        "deepseek-coder; a,b 12; a|,|b| |1|2",
        "deepseek-coder; \u4f60\u597d 12; \u4f60\u597d| |1|2",
        "deepseek-llm; ab 123\u4e00; ab| |123|\u4e00",
        "deepseek-v3; ab 1234 \u4f60\u597d!x; ab| |123|4| |\u4f60\u597d|!x"
      })
  void textsAreCutIntoWords(String name, String text, String words) {
    String[] expected = words.replace('N', LINE_END).split("\\|");
    assertThat(PreTokenizer.of(name).words(text.replace('N', LINE_END))).containsExactly(expected);
  }

  @Test
  void anUnknownPreTokenizerIsNamedAndNeverGuessed() {
    assertThatThrownBy(() -> tokenizer("someone-new"))
        .hasMessageContainingAll("someone-new", "llama-bpe", "qwen2");
  }

  @Test
  void aMissingPreTokenizerIsNotGuessedEither() {
    assertThatThrownBy(() -> tokenizer(""))
        .hasMessageContainingAll("tokenizer.ggml.pre", "missing", "llama-bpe");
  }

  private Tokenizer tokenizer(String pre, String... merges) {
    List<String> tokens = new ArrayList<>();
    for (int b = 0; b < BYTES; b++) {
      tokens.add(String.valueOf(ByteAlphabet.character(b)));
    }
    for (String merge : merges) {
      tokens.add(merge.replace(" ", ""));
    }
    Path path = folder.resolve("bpe.gguf");
    try (GgufWriter writer = GgufWriter.create(path)) {
      if (!pre.isEmpty()) {
        writer.string("tokenizer.ggml.pre", pre);
      }
      writer
          .string("tokenizer.ggml.model", "gpt2")
          .strings("tokenizer.ggml.tokens", tokens)
          .strings("tokenizer.ggml.merges", List.of(merges))
          .begin()
          .finish();
    }
    try (GgufFile file = GgufFile.open(path)) {
      return Tokenizers.read(file).orElseThrow();
    }
  }

  private static List<String> texts(Tokenizer tokenizer, String text) {
    List<String> texts = new ArrayList<>();
    for (int id : tokenizer.encode(text)) {
      texts.add(tokenizer.text(id));
    }
    return texts;
  }
}
