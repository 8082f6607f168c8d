// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.spi.PluginContext;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways of sums by size, as users write and read them. */
class WaysTest {
  private static Settings settings(String reduce) {
    return Settings.of(
        new PluginContext() {
          @Override
          public Path nativeDirectory() {
            return Path.of("target");
          }

          @Override
          public Optional<String> setting(String key) {
            return key.equals("reduce") ? Optional.of(reduce) : Optional.empty();
          }
        });
  }

  @Test
  void the_first_range_that_reaches_so_far_is_taken() {
    Ways ways = Ways.parse("one-shot-packets:1000, two-shot-packets:5000, two-shot-flags");
    assertThat(ways.of(0)).isEqualTo(Way.ONE_SHOT_PACKETS);
    assertThat(ways.of(1000)).isEqualTo(Way.ONE_SHOT_PACKETS);
    assertThat(ways.of(1001)).isEqualTo(Way.TWO_SHOT_PACKETS);
    assertThat(ways.of(5001)).isEqualTo(Way.TWO_SHOT_FLAGS);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void what_is_printed_can_be_pinned(int members) {
    Ways ways = Ways.usual(members);
    assertThat(settings(ways.toString()).ways()).contains(ways);
  }

  @Test
  void nothing_is_pinned_where_it_is_measured() {
    assertThat(settings("measured").ways()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "nccl", "one-shot-flags:many", "one-shot-flags:9,two-shot-flags:9"})
  void other_texts_are_refused_with_what_was_expected(String text) {
    assertThatThrownBy(() -> settings(text))
        .isInstanceOf(ConsortException.class)
        .hasMessageContaining("'" + text + "'")
        .hasMessageContaining("two-shot-flags");
  }

  @Test
  void small_sums_go_one_shot_and_large_ones_fit() {
    for (int members = 2; members <= CudaComm.MOST_MEMBERS; members++) {
      Ways ways = Ways.usual(members);
      ReduceKernels kernels =
          new ReduceKernels(members, 132, ReduceKernels.Clusters.EVERYWHERE, ways);
      assertThat(ways.of(4)).isEqualTo(Way.ONE_SHOT_PACKETS);
      for (long bytes = 4; bytes <= 16 << 20; bytes *= 2) {
        assertThat(kernels.fits(ways.of(bytes), bytes))
            .as("%d bytes over %d members", bytes, members)
            .isTrue();
      }
    }
  }
}
