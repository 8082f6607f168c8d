// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.model.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Texts beside the ids that a vocabulary's tokenizer gives for them. */
record TokenizerFixtures(Path vocabulary) {

  /** Encodes every text, compares, and decodes it back. */
  void check() throws IOException {
    String[] texts =
        Files.readString(Path.of(vocabulary + ".inp")).split("\n__ggml_vocab_test__\n", -1);
    List<String> lines = Files.readAllLines(Path.of(vocabulary + ".out"));
    assertThat(texts[lines.size()]).as("after the last separator").isEmpty();
    assertThat(lines).hasSizeGreaterThan(40);
    try (GgufFile file = GgufFile.open(vocabulary)) {
      Tokenizer tokenizer = Tokenizers.read(file).orElseThrow();
      for (int i = 0; i < lines.size(); i++) {
        int[] expected = ids(lines.get(i));
        assertThat(tokenizer.encode(texts[i])).as(texts[i]).containsExactly(expected);
        assertThat(tokenizer.decode(expected)).isEqualTo(texts[i]);
      }
    }
  }

  private static int[] ids(String line) {
    return Arrays.stream(line.trim().split(" +"))
        .filter(word -> !word.isEmpty())
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  @Override
  public String toString() {
    return vocabulary.getFileName().toString();
  }
}
