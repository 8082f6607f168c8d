// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.host.Consort;
import dev.consort.host.demo.DemoModel;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PerplexityTest {
  private static final Consort HOST = Consort.open();
  private static final Model MODEL = Model.open(DemoModel.file());
  private static final int BEGIN = 1;
  private static int[] text = new int[0];
  private static Engine engine;

  @TempDir Path folder;

  @BeforeAll
  static void open() {
    text =
        MODEL
            .tokenizer()
            .orElseThrow()
            .encode("Q: What is 348 + 275?\nA: 623\nQ: Sort 4 1 3.\nA: 1 3 4\nQ: What is 9 * 9?");
    engine = engine("cpu:0");
  }

  @AfterAll
  static void close() {
    engine.close();
    MODEL.close();
    HOST.close();
  }

  @ParameterizedTest(name = "-c {0} -ub {1}")
  @CsvSource({"16, 16", "16, 64", "16, 6", "13, 29"})
  void theSecondHalfOfEachWindowIsScored(int length, int microBatch) {
    Windows windows = Windows.halves(text, length, -1, BEGIN);
    assertThat(windows.count()).isEqualTo(text.length / length);
    double sum = 0;
    int count = 0;
    for (int window = 0; window < windows.count(); window++) {
      int[] fed = Arrays.copyOfRange(text, window * length, (window + 1) * length);
      int[] right = fed.clone();
      fed[0] = BEGIN;
      sum += unlikely(fed, right, length / 2);
      count += length - 1 - length / 2;
    }
    Likelihood found = likelihood(windows, microBatch);
    assertThat(found.count()).isEqualTo(count);
    assertThat(found.perplexity().mean()).isCloseTo(Math.exp(sum / count), within(0.02));
    assertThat(found.perplexity().error()).isPositive();
  }

  @Test
  void withAStrideTheLastTokensOfOverlappingWindowsAreScored() {
    Windows windows = Windows.strided(text, 16, 8, 3);
    assertThat(windows.length()).isEqualTo(20);
    assertThat(windows.scored()).isEqualTo(8);
    double sum = 0;
    for (int window = 0; window < 3; window++) {
      int[] fed = Arrays.copyOfRange(text, window * 8, window * 8 + 20);
      sum += unlikely(fed, fed, 11);
    }
    Likelihood found = likelihood(windows, 64);
    assertThat(found.count()).isEqualTo(24);
    assertThat(found.perplexity().mean()).isCloseTo(Math.exp(sum / 24), within(0.02));
  }

  @Test
  void savedLogitsAreThoseOfTheModelAndASplitIsNoFurtherThanRounding() throws IOException {
    Path file = folder.resolve("logits");
    Windows windows = Windows.halves(text, 16, -1, BEGIN);
    Files.write(file, saved(windows));
    try (SavedLogits base = SavedLogits.open(file, engine.vocabulary(), BEGIN)) {
      assertThat(base.windows().tokens()).isEqualTo(Arrays.copyOf(text, windows.count() * 16));
      Divergence self = divergence(engine, base);
      assertThat(self.divergence().mean()).isCloseTo(0, within(1e-5));
      assertThat(self.sameTop().mean()).isEqualTo(1);
      assertThat(self.perplexity().mean())
          .isCloseTo(likelihood(windows, 64).perplexity().mean(), within(1e-6));
    }
    try (SavedLogits base = SavedLogits.open(file, engine.vocabulary(), BEGIN);
        Engine split = engine("cpu:0*3")) {
      Divergence found = divergence(split, base);
      assertThat(found.count()).isEqualTo(windows.count() * 7L);
      assertThat(found.divergence().mean()).isBetween(-1e-5, 1e-4);
      assertThat(found.quantile(1)).isGreaterThanOrEqualTo(found.quantile(0.5));
    }
  }

  @Test
  void theDivergenceIsThatOfTheDefinition() throws IOException {
    Path file = folder.resolve("logits");
    float[] base = {1, 2, 3, 0};
    float[] own = {2, 1, 3, -1};
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Windows windows = new Windows(new int[] {0, 1, 2, 3}, 4, 4, 1, 2, -1);
    bytes.writeBytes(SavedLogits.encodeHead(windows, 4));
    bytes.writeBytes(SavedLogits.encode(MemorySegment.ofArray(base)));
    Files.write(file, bytes.toByteArray());
    double[] p = probabilities(base);
    double[] q = probabilities(own);
    double expected = IntStream.range(0, 4).mapToDouble(i -> p[i] * Math.log(p[i] / q[i])).sum();
    try (SavedLogits saved = SavedLogits.open(file, 4, -1)) {
      Divergence found = new Divergence(saved);
      found.add(new MemorySegment[] {MemorySegment.ofArray(own)}, new int[] {1});
      assertThat(found.divergence().mean()).isCloseTo(expected, within(1e-4));
      assertThat(found.perplexity().mean()).isCloseTo(1 / q[1], within(1e-3));
      assertThat(found.basePerplexity().mean()).isCloseTo(1 / p[1], within(1e-3));
      assertThat(found.shift().mean()).isCloseTo(q[1] - p[1], within(1e-4));
      assertThat(found.sameTop().mean()).isEqualTo(1);
    }
  }

  @Test
  void aDamagedFileOfLogitsIsRefused() throws IOException {
    Path file = folder.resolve("logits");
    byte[] good = saved(Windows.halves(text, 16, 2, BEGIN));
    for (int length : new int[] {0, 7, 19, 40, good.length - 1, good.length + 1}) {
      Files.write(file, Arrays.copyOf(good, length));
      assertThatThrownBy(() -> SavedLogits.open(file, engine.vocabulary(), BEGIN))
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("logits");
    }
    for (int at : new int[] {0, 11, 15, 19, 23}) {
      byte[] bad = good.clone();
      bad[at] ^= 0x40;
      Files.write(file, bad);
      assertThatThrownBy(() -> SavedLogits.open(file, engine.vocabulary(), BEGIN))
          .isInstanceOf(ConsortException.class);
    }
    Files.write(file, good);
    assertThatThrownBy(() -> SavedLogits.open(file, 7, BEGIN)).hasMessageContainingAll("384", "7");
  }

  @Test
  void tooShortATextAndImpossibleWindowsAreNamed() {
    assertThatThrownBy(() -> Windows.halves(text, 512, -1, BEGIN))
        .hasMessageContainingAll("" + text.length, "1024", "-c");
    assertThatThrownBy(() -> Windows.halves(text, 3, -1, BEGIN)).hasMessageContaining("at least 4");
    assertThatThrownBy(() -> Windows.strided(text, 16, 40, -1)).hasMessageContaining("stride");
  }

  private static byte[] saved(Windows windows) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(SavedLogits.encodeHead(windows, engine.vocabulary()));
    new Evaluation(engine, windows, 64)
        .run(
            new Rows() {
              @Override
              public void score(MemorySegment[] rows, int[] next) {
                Arrays.stream(rows).map(SavedLogits::encode).forEach(bytes::writeBytes);
              }
            });
    return bytes.toByteArray();
  }

  private static Divergence divergence(Engine on, SavedLogits base) {
    Divergence found = new Divergence(base);
    new Evaluation(on, base.windows(), 64)
        .run(
            new Rows() {
              @Override
              public void score(MemorySegment[] rows, int[] next) {
                found.add(rows, next);
              }
            });
    return found;
  }

  private static Likelihood likelihood(Windows windows, int microBatch) {
    Likelihood found = new Likelihood();
    new Evaluation(engine, windows, microBatch)
        .run(
            new Rows() {
              @Override
              public void score(MemorySegment[] rows, int[] next) {
                found.add(rows, next);
              }
            });
    return found;
  }

  private abstract static class Rows implements Scorer {
    @Override
    public void windowDone(int window) {}
  }

  /** The sum over one window, from all its logits at once. */
  private static double unlikely(int[] fed, int[] right, int first) {
    double sum = 0;
    try (Sequence sequence = engine.sequence()) {
      sequence.appendAll(fed);
      for (int i = first; i < fed.length - 1; i++) {
        double[] p = probabilities(engine.logits(i).toArray(ValueLayout.JAVA_FLOAT));
        sum -= Math.log(p[right[i + 1]]);
      }
    }
    return sum;
  }

  private static double[] probabilities(float[] logits) {
    double[] p = IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i])).toArray();
    double sum = Arrays.stream(p).sum();
    return Arrays.stream(p).map(each -> each / sum).toArray();
  }

  private static Engine engine(String devices) {
    return Engine.open(
        MODEL,
        MetaDevice.even(HOST.select(devices)),
        new EngineOptions(128, 64, 5, DataType.F32, DataType.F32));
  }
}
