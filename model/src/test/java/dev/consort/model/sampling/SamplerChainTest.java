// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerChainTest {

  @Test
  void greedyTakesTheLikeliestAndTheLowerAmongEquals() {
    SamplerChain chain = SamplerChain.of(SamplingOptions.greedy(), 5);
    assertThat(sample(chain, -1, -3, 2, 2, 0)).isEqualTo(2);
    assertThat(sample(chain, -2, -1, -7, -1, -9)).isEqualTo(1);
    assertThat(sample(chain, 0f, -0f, 0f, -1, -1)).isZero();
  }

  @Test
  void theShortcutTakesWhatTheChainWould() {
    float[] logits = random(2000, 17);
    var chain = new SamplerChain(List.of(Samplers.greedy()), 0, logits.length);
    var shortcut = SamplerChain.of(SamplingOptions.greedy(), logits.length);
    assertThat(sample(shortcut, logits)).isEqualTo(sample(chain, logits));
    logits[77] = Float.NaN;
    assertThat(sample(shortcut, logits)).isEqualTo(sample(chain, logits)).isNotEqualTo(77);
  }

  @Test
  void whatIsNoNumberIsNeverTaken() {
    SamplerChain chain = SamplerChain.of(SamplingOptions.greedy(), 3);
    assertThat(sample(chain, Float.NaN, -5, Float.NEGATIVE_INFINITY)).isEqualTo(1);
    assertThat(sample(chain, 1, Float.POSITIVE_INFINITY, 2)).isEqualTo(1);
    assertThatThrownBy(() -> sample(chain, Float.NaN, Float.NaN, Float.NEGATIVE_INFINITY))
        .hasMessageContaining("all 3 logits");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 40, 999, 1000, 5000})
  void topKLeavesTheLikeliestInOrder(int k) {
    float[] logits = random(1000, 3);
    var candidates = new Candidates(logits.length);
    candidates.load(MemorySegment.ofArray(logits), 0);
    Samplers.topK(k).apply(candidates);
    assertThat(ids(candidates)).containsExactly(ranked(logits, Math.min(k, 1000)));
  }

  @ParameterizedTest
  @ValueSource(floats = {0.01f, 0.3f, 0.9f, 0.999f})
  void topPLeavesTheFewestThatReachTheShareWhetherSortedOrNot(float p) {
    float[] logits = random(1000, 5);
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    int[] order = ranked(logits, logits.length);
    int expected = 0;
    for (double reached = 0; reached < p * sum; expected++) {
      reached += Math.exp(logits[order[expected]]);
    }
    for (int k : new int[] {0, 1000}) {
      var candidates = new Candidates(logits.length);
      candidates.load(MemorySegment.ofArray(logits), 0);
      Samplers.topK(k).apply(candidates);
      Samplers.topP(p).apply(candidates);
      assertThat(ids(candidates)).containsExactly(Arrays.copyOf(order, expected));
    }
  }

  @Test
  void minPLeavesWhatIsNotMuchLessLikely() {
    var candidates = new Candidates(4);
    float[] logits = {0, (float) Math.log(0.5), (float) Math.log(0.05), (float) Math.log(0.2)};
    candidates.load(MemorySegment.ofArray(logits), 0);
    Samplers.minP(0.1f).apply(candidates);
    assertThat(ids(candidates)).containsExactly(0, 1, 3);
  }

  @Test
  void drawsFollowTheProbabilitiesAtATemperature() {
    SamplerChain chain = SamplerChain.of(new SamplingOptions(2, 0, 1, 0, 11), 3);
    int[] counts = new int[3];
    float[] logits = {0, (float) (2 * Math.log(2)), (float) (2 * Math.log(5))};
    for (int i = 0; i < 40_000; i++) {
      counts[sample(chain, logits)]++;
    }
    assertThat(counts[0] / 40_000.0).isCloseTo(1 / 8.0, within(0.01));
    assertThat(counts[1] / 40_000.0).isCloseTo(2 / 8.0, within(0.01));
    assertThat(counts[2] / 40_000.0).isCloseTo(5 / 8.0, within(0.01));
  }

  @Test
  void theSameSeedGivesTheSameTokens() {
    float[] logits = random(500, 9);
    int[] first = sequence(logits, 42);
    assertThat(sequence(logits, 42)).containsExactly(first);
    assertThat(sequence(logits, 43)).isNotEqualTo(first);
  }

  @Test
  void optionsOutsideTheirRangeAreRefused() {
    assertThatThrownBy(() -> new SamplingOptions(-1, 0, 1, 0, 0))
        .hasMessageContaining("temperature");
    assertThatThrownBy(() -> new SamplingOptions(1, -1, 1, 0, 0)).hasMessageContaining("top-k");
    assertThatThrownBy(() -> new SamplingOptions(1, 0, 0, 0, 0)).hasMessageContaining("top-p");
    assertThatThrownBy(() -> new SamplingOptions(1, 0, 1, 2, 0)).hasMessageContaining("min-p");
  }

  @Test
  void samplingMakesNoGarbage() {
    MemorySegment logits = MemorySegment.ofArray(random(32_000, 1));
    List<SamplerChain> chains =
        List.of(
            SamplerChain.of(SamplingOptions.greedy(), 32_000),
            SamplerChain.of(new SamplingOptions(0.8f, 40, 0.95f, 0.05f, 1), 32_000),
            SamplerChain.of(new SamplingOptions(0.8f, 0, 0.95f, 0, 1), 32_000));
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (SamplerChain chain : chains) {
      long best = Long.MAX_VALUE;
      for (int round = 0; round < 40; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10; i++) {
          chain.sample(logits, 0);
        }
        best = Math.min(best, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertThat(best).isZero();
    }
  }

  private static int[] sequence(float[] logits, long seed) {
    SamplerChain chain =
        SamplerChain.of(new SamplingOptions(1, 100, 0.99f, 0, seed), logits.length);
    return IntStream.range(0, 50).map(i -> sample(chain, logits)).toArray();
  }

  private static int sample(SamplerChain chain, float... logits) {
    return chain.sample(MemorySegment.ofArray(logits), 0);
  }

  private static int[] ids(Candidates candidates) {
    return IntStream.range(0, candidates.size()).map(candidates::id).toArray();
  }

  private static int[] ranked(float[] logits, int count) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> -logits[i]).thenComparing(i -> i))
        .limit(count)
        .mapToInt(i -> i)
        .toArray();
  }

  private static float[] random(int size, long seed) {
    var random = new Random(seed);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = Math.round(random.nextGaussian() * 300) / 100f;
    }
    return values;
  }
}
