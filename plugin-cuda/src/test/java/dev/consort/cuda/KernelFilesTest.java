// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The PTX in the repository is what the kernels' sources give. */
class KernelFilesTest {
  private static final Path SOURCES = Path.of("src", "main", "cuda");
  private static final Path KERNELS =
      Path.of("src", "main", "resources", "dev", "consort", "cuda", "kernels");

  @Test
  void the_ptx_was_made_of_these_sources() throws Exception {
    assertThat(digest(SOURCES, ".cu", ".cuh"))
        .as("kernels changed without src/build/kernels.sh being run")
        .isEqualTo(Files.readString(KERNELS.resolve("sources.sha256")).strip());
  }

  @Test
  void the_ptx_is_as_the_compiler_wrote_it() throws Exception {
    assertThat(digest(KERNELS, ".ptx"))
        .as("PTX that src/build/kernels.sh did not write")
        .isEqualTo(Files.readString(KERNELS.resolve("ptx.sha256")).strip());
  }

  @Test
  void every_source_has_its_ptx() throws Exception {
    for (Path source : files(SOURCES, ".cu")) {
      String name = source.getFileName().toString().replace(".cu", ".ptx");
      assertThat(KERNELS.resolve(name)).exists();
    }
  }

  private static List<Path> files(Path folder, String... endings) throws IOException {
    try (Stream<Path> found = Files.list(folder)) {
      return found
          .filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
          .sorted()
          .toList();
    }
  }

  private static String digest(Path folder, String... endings)
      throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path file : files(folder, endings)) {
      digest.update(Files.readAllBytes(file));
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
