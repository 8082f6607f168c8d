// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.model.gguf.GgufFile;
import org.junit.jupiter.api.Test;

class DemoModelTest {
  @Test
  void theDemoModelIsAFileThatCanBeMapped() {
    try (GgufFile model = GgufFile.open(DemoModel.file())) {
      assertThat(model.metadata().string("general.architecture")).isEqualTo("llama");
      assertThat(model.metadata().integer("llama.block_count")).isEqualTo(6);
    }
  }
}
