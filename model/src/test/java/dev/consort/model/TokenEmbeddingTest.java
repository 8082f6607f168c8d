// SPDX-License-Identifier: Apache-2.0
package dev.consort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.quant.Codec;
import dev.consort.model.gguf.GgufTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  @EnabledOnOs(OS.LINUX)
  void aRowThatWasLoadedIsNoPageFault(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("table"), new byte[32 << 20]);
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(file)) {
      Shape shape = Shape.of(256, channel.size() / 1024);
      MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      var table = new TokenEmbedding(new GgufTensor("table", DataType.F32, shape, data));
      assertThat(pageFaults(table, 1)).isGreaterThan(100);
      table.load();
      assertThat(pageFaults(table, 2)).isLessThan(20);
    }
  }

  /** How many pages this thread had to be given, from memory alone, for a thousand random rows. */
  private static long pageFaults(TokenEmbedding table, long seed) throws IOException {
    MemorySegment row = MemorySegment.ofArray(new float[table.width()]);
    SplittableRandom random = new SplittableRandom(seed);
    long before = pageFaults();
    for (int i = 0; i < 1000; i++) {
      table.row(random.nextInt(table.rows()), row, 0);
    }
    return pageFaults() - before;
  }

  /** Field 10 of proc(5); what is behind the name begins with field 3. */
  private static long pageFaults() throws IOException {
    String stat = Files.readString(Path.of("/proc/thread-self/stat"));
    return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[10 - 3]);
  }
}
