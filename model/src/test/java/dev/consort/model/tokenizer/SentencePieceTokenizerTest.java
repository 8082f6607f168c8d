// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufWriter;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceTokenizerTest {
  @TempDir Path folder;
  private Path fixture;
  private GgufFile file;
  private Tokenizer tokenizer;

  @BeforeEach
  void open() throws URISyntaxException {
    fixture =
        Path.of(
            Objects.requireNonNull(getClass().getResource("ggml-vocab-llama-spm.gguf")).toURI());
    file = GgufFile.open(fixture);
    tokenizer = Tokenizers.read(file).orElseThrow();
  }

  @AfterEach
  void close() {
    file.close();
  }

  @Test
  void everyTextGivesTheExpectedIdsAndComesBack() throws IOException {
    new TokenizerFixtures(fixture).check();
  }

  @Test
  void theBeginIsAddedWhenAskedFor() {
    assertThat(tokenizer.encode("Hello", Tokenizer.Extra.ADD_SPECIAL)).containsExactly(1, 15043);
    assertThat(tokenizer.encode("")).isEmpty();
    assertThat(tokenizer.encode("", Tokenizer.Extra.ADD_SPECIAL)).containsExactly(1);
  }

  @Test
  void specialTokensAreParsedOnlyWhenAskedFor() {
    assertThat(tokenizer.encode("<s>Hello</s>", Tokenizer.Extra.PARSE_SPECIAL))
        .containsExactly(1, 15043, 2);
    assertThat(tokenizer.encode("<s>")).doesNotContain(1).hasSizeGreaterThan(1);
  }

  @Test
  void splitCharactersAreHeldBackUntilComplete() {
    int[] ids = tokenizer.encode("a🦙b");
    TokenDecoder decoder = tokenizer.decoder();
    StringBuilder text = new StringBuilder();
    boolean held = false;
    for (int id : ids) {
      String part = decoder.append(id);
      assertThat(part).doesNotContain("\ufffd");
      held |= part.isEmpty();
      text.append(part);
    }
    assertThat(held).isTrue();
    assertThat(text + decoder.finish()).isEqualTo(" a🦙b");
  }

  @Test
  void aCharacterThatNeverCompletesBecomesAReplacement() {
    TokenDecoder decoder = tokenizer.decoder();
    assertThat(decoder.append(3 + 0xf0)).isEmpty();
    assertThat(decoder.append(3 + 0x9f)).isEmpty();
    assertThat(decoder.finish()).isEqualTo("\ufffd");
    assertThat(decoder.append(3 + 0xff)).isEqualTo("\ufffd");
  }

  @Test
  void theEndIsKnown() {
    assertThat(tokenizer.isEnd(2)).isTrue();
    assertThat(tokenizer.isEnd(1)).isFalse();
    assertThat(tokenizer.text(2)).isEqualTo("</s>");
    assertThat(tokenizer.size()).isEqualTo(32_000);
  }

  @Test
  void userDefinedTokensAreAlwaysParsed() {
    Path path = folder.resolve("own.gguf");
    write(
        path,
        "llama",
        List.of("<unk>", "<s>", "</s>", "▁", "a", "<tool>"),
        new int[] {2, 3, 3, 1, 1, 4},
        new float[6]);
    try (GgufFile own = GgufFile.open(path)) {
      Tokenizer small = Tokenizers.read(own).orElseThrow();
      assertThat(small.encode("a<tool>a<s>")).startsWith(3, 4, 5, 3, 4).doesNotContain(1);
      assertThat(small.encode("z")).as("no byte tokens").containsExactly(3, 0);
      assertThat(small.decode(4, 5)).isEqualTo("a<tool>");
    }
  }

  @Test
  void specialTokensOfPhi3SwallowTheWhiteSpaceBehindThem() {
    assertThat(specialThenText("Phi-3 mini")).containsExactly(5, 3, 4);
    assertThat(specialThenText("another")).containsExactly(5, 3, 0, 3, 4);
  }

  private int[] specialThenText(String model) {
    Path path = folder.resolve("named.gguf");
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer
          .string("general.name", model)
          .string("tokenizer.ggml.model", "llama")
          .strings("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "</s>", "▁", "a", "<|user|>"))
          .integers("tokenizer.ggml.token_type", new int[] {2, 3, 3, 1, 1, 3})
          .floats("tokenizer.ggml.scores", new float[6])
          .begin()
          .finish();
    }
    try (GgufFile own = GgufFile.open(path)) {
      return Tokenizers.read(own)
          .orElseThrow()
          .encode("<|user|>\n a", Tokenizer.Extra.PARSE_SPECIAL);
    }
  }

  @Test
  void brokenVocabulariesAreRefused() {
    Path path = folder.resolve("broken.gguf");
    write(path, "llama", List.of("a", "b"), new int[] {1}, new float[2]);
    refused(path, "tokenizer.ggml.token_type", "1 entries", "2 tokens");
    write(path, "llama", List.of(), new int[0], new float[0]);
    refused(path, "tokenizer.ggml.tokens", "empty");
  }

  @Test
  void unknownKindsAreNamedAndMissingOnesAreFine() {
    Path path = folder.resolve("kind.gguf");
    write(path, "bert", List.of("a"), new int[] {1}, new float[1]);
    refused(path, "kind.gguf", "\"bert\"", "llama");
    write(path, "no_vocab", List.of("a"), new int[] {1}, new float[1]);
    try (GgufFile own = GgufFile.open(path)) {
      assertThat(Tokenizers.read(own)).isEmpty();
    }
  }

  private static void write(
      Path path, String kind, List<String> tokens, int[] types, float[] scores) {
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer
          .string("tokenizer.ggml.model", kind)
          .strings("tokenizer.ggml.tokens", tokens)
          .integers("tokenizer.ggml.token_type", types)
          .floats("tokenizer.ggml.scores", scores)
          .begin()
          .finish();
    }
  }

  private static void refused(Path path, String... words) {
    try (GgufFile own = GgufFile.open(path)) {
      assertThatThrownBy(() -> Tokenizers.read(own)).hasMessageContainingAll(words);
    }
  }
}
