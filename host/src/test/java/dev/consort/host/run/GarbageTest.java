// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.consort.api.DataType;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.model.Model;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.function.Function;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps make no garbage, the first of a conversation as little as the hundredth. */
@Timeout(120)
class GarbageTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int MOST_ROUNDS = 60;
  private static final int TOKENS = 100;
  private static final int[] PROMPT = {1, 2, 3, 4, 5, 6, 7};

  @ParameterizedTest
  @ValueSource(strings = {"cpu:0", "cpu:0*2", "vulkan:llvmpipe", "cpu:0,vulkan:llvmpipe"})
  void aConversation(String devices) {
    assertThat(leastBytes(devices, engine -> conversation(engine.sequence()))).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu:0", "cpu:0*2"})
  void stepsOfTwoSequences(String devices) {
    assertThat(
            leastBytes(devices, engine -> together(engine, engine.sequence(), engine.sequence())))
        .isZero();
  }

  /**
   * Of a few rounds: while the compiler is at work it makes the string constants of the classes
   * whose methods it compiles.
   */
  private static long leastBytes(String devices, Function<Engine, Runnable> use) {
    EngineOptions options = new EngineOptions(256, 8, 2, DataType.F16, DataType.F16);
    try (Consort host = Consort.open()) {
      String name = devices.replaceAll(".*:|\\*.*", "");
      assumeTrue(
          host.devices().stream()
              .anyMatch(d -> d.info().name().contains(name) || d.info().id().endsWith(name)));
      try (Model model = TinyModel.dense();
          Engine engine = Engine.open(model, MetaDevice.even(host.select(devices)), options)) {
        Runnable round = use.apply(engine);
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MOST_ROUNDS && least > 0; i++) {
          long others = ofDevices();
          long own = THREADS.getCurrentThreadAllocatedBytes();
          round.run();
          own = THREADS.getCurrentThreadAllocatedBytes() - own;
          least = Math.min(least, own + ofDevices() - others);
        }
        return least;
      }
    }
  }

  /** A prompt and an answer. */
  private static Runnable conversation(Sequence sequence) {
    return () -> {
      sequence.truncate(0);
      sequence.append(PROMPT);
      for (int i = 0; i < TOKENS; i++) {
        sequence.append(i % TinyModel.VOCABULARY);
      }
    };
  }

  /** Steps of a token of each. */
  private static Runnable together(Engine engine, Sequence first, Sequence second) {
    Batch batch = new Batch(2);
    return () -> {
      first.truncate(0);
      second.truncate(0);
      for (int i = 0; i < TOKENS; i++) {
        batch.clear();
        batch.add(i % TinyModel.VOCABULARY, i, 1 << first.id(), true);
        batch.add(i % TinyModel.VOCABULARY, i, 1 << second.id(), true);
        engine.evaluate(batch);
      }
    };
  }

  /** Bytes allocated so far by the threads of devices and members. */
  private static long ofDevices() {
    long bytes = 0;
    for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith("consort")) {
        bytes += THREADS.getThreadAllocatedBytes(thread.getThreadId());
      }
    }
    return bytes;
  }
}
