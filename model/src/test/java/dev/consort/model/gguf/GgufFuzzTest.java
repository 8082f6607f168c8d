// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import dev.consort.api.ConsortException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;

/**
 * Whatever the bytes, parsing ends in a model or in the framework's own exception, and takes memory
 * in proportion to the file. Runs over the kept corpus; with {@code JAZZER_FUZZ=1} it searches on.
 */
class GgufFuzzTest {
  private static final long FIXED_BYTES = 4L << 20;
  private static final long BYTES_PER_BYTE = 64;

  @FuzzTest(maxDuration = "60s")
  void parsingEndsInAModelOrInOurException(byte[] data) {
    parse(data);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    parse(data);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before)
        .as("heap bytes, once classes are loaded")
        .isLessThan(FIXED_BYTES + BYTES_PER_BYTE * data.length);
  }

  private static void parse(byte[] data) {
    try {
      readAll(GgufParser.parse("fuzz.gguf", MemorySegment.ofArray(data)));
    } catch (ConsortException e) {
      assertThat(e).hasMessageContaining("fuzz.gguf");
    }
  }

  private static void readAll(GgufParser.Parsed parsed) {
    for (GgufTensor tensor : parsed.tensors()) {
      assertThat(tensor.bytes()).isPositive();
      tensor.data().get(Layouts.I8, tensor.bytes() - 1);
    }
    Metadata metadata = parsed.metadata();
    for (String key : metadata.keys()) {
      metadata.describe(key);
      if (metadata.describe(key).orElseThrow().startsWith("array of")) {
        attempt(() -> metadata.strings(key));
        attempt(() -> metadata.floats(key));
        attempt(() -> metadata.integers(key));
      } else {
        attempt(() -> metadata.integer(key));
        attempt(() -> metadata.real(key));
      }
    }
  }

  /** Reading as another type than the file's is an error of ours. */
  private static void attempt(Runnable read) {
    try {
      read.run();
    } catch (ConsortException e) {
      assertThat(e).hasMessageContaining("fuzz.gguf");
    }
  }
}
