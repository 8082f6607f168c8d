// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A plugin can be read in one sitting. */
class SizeTest {
  private static final Path SOURCES = Path.of("src", "main", "java");
  private static final int MOST = 400;

  @Test
  void thePluginHasFewerThanFourHundredLinesWithoutCommentsAndBlanks() throws IOException {
    long lines = 0;
    for (Path file : sources()) {
      lines +=
          Files.readAllLines(file).stream().map(String::strip).filter(SizeTest::isCode).count();
    }
    assertThat(lines).isBetween(1L, MOST - 1L);
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList();
    }
  }

  private static boolean isCode(String line) {
    return !line.isEmpty()
        && !line.startsWith("//")
        && !line.startsWith("/*")
        && !line.startsWith("*");
  }
}
