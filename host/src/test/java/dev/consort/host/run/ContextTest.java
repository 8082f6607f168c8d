// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.WirePolicy;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.LimitedDevice;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Without a word from the user the cache is as large as every member's memory allows. */
class ContextTest {
  private static final int CELLS = 256;
  private static final EngineOptions OPTIONS = EngineOptions.defaults().withMicroBatch(8);

  private final Model model =
      Model.open(
          Path.of("..", "model", "src", "test", "resources")
              .resolve(Path.of("dev", "consort", "model", "arch", "llama-q4_k_m.gguf")));

  @AfterEach
  void closeModel() {
    model.close();
  }

  @Test
  void withMemoryToSpareTheModelDecides() {
    assertThat(context(1 << 30, Split.TENSOR)).isEqualTo(model.parameters().context());
  }

  /** The second member has no quantized products, and so holds F16: more than the file says. */
  @ParameterizedTest
  @EnumSource
  void theMemberThatIsFullFirstDecides(Split split) {
    MemberReport full = report(split).members().get(split == Split.NONE ? 0 : 1);
    long perCell = full.cacheBytes() / CELLS;
    long weights = full.weightBytes() + full.mirroredBytes();
    long room = 4 * (CELLS + 100) * perCell / 3;
    assertThat(model.parameters().context()).isGreaterThan(CELLS);
    assertThat(context(weights + room, split)).isEqualTo(CELLS);
  }

  @Test
  void weightsThatDontFitAreAnErrorThatNamesTheDevice() {
    MemberReport full = report(Split.TENSOR).members().get(1);
    assertThatThrownBy(() -> context(full.weightBytes() / 2, Split.TENSOR))
        .isInstanceOfSatisfying(
            ConsortException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY))
        .hasMessageContaining("two:1")
        .hasMessageContaining("MiB are free");
  }

  private EngineReport report(Split split) {
    try (Engine engine = Engine.open(model, device(1 << 30, split), OPTIONS.withContext(CELLS))) {
      return engine.report();
    }
  }

  private int context(long memory, Split split) {
    return Context.choose(model, device(memory, split), OPTIONS);
  }

  /** Of two members, both with so much memory where one holds all, else the second. */
  private static MetaDevice device(long memory, Split split) {
    long first = split == Split.NONE ? memory : 1 << 30;
    Device able = new ReferenceDevice(ReferenceOptions.of(0).plugin("one").memory(first, 1 << 30));
    Device unable =
        new LimitedDevice(
            new ReferenceDevice(ReferenceOptions.of(1).plugin("two").memory(memory, 1 << 30)),
            node -> !node.isLeaf() && node.source(0).root().type().isQuantized(),
            "not here");
    return new MetaDevice(List.of(able, unable), new double[] {1, 1}, split, WirePolicy.EXACT);
  }
}
