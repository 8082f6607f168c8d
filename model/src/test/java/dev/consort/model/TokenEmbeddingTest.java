// SPDX-License-Identifier: Apache-2.0
package dev.consort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.consort.api.quant.Codec;
import dev.consort.model.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TokenEmbeddingTest {
  private Model model;
  private TokenEmbedding embedding;

  @BeforeEach
  void open() throws URISyntaxException {
    var resource = Objects.requireNonNull(Model.class.getResource("arch/llama-q4_k_m.gguf"));
    model = Model.open(Path.of(resource.toURI()));
    embedding = model.embedding();
  }

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void aRowIsThatPartOfTheTable() {
    GgufTensor table = model.file().tensor("token_embd.weight");
    float[] all = new float[(int) table.shape().elements()];
    Codec.of(table.type()).decode(table.data(), 0, MemorySegment.ofArray(all), 0, all.length);
    float[] rows = new float[2 * 256];
    embedding.row(511, MemorySegment.ofArray(rows), embedding.bytes());
    assertThat(Arrays.copyOfRange(rows, 256, 512))
        .containsExactly(Arrays.copyOfRange(all, 511 * 256, 512 * 256));
    assertThat(rows[255]).isZero();
    embedding.row(-1, MemorySegment.ofArray(rows), embedding.bytes());
    assertThat(rows[300]).isZero();
  }

  @Test
  void aTokenOutsideTheVocabularyIsNamed() {
    MemorySegment row = MemorySegment.ofArray(new float[256]);
    assertThatThrownBy(() -> embedding.row(512, row, 0)).hasMessageContainingAll("512", "0 to 511");
  }

  @Test
  void decodingMakesNoGarbage() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    MemorySegment row = MemorySegment.ofArray(new float[256]);
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 200; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int token = 0; token < 100; token++) {
        embedding.row(token, row, 0);
      }
      best = Math.min(best, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(best).isZero();
  }
}
