// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import com.sun.management.ThreadMXBean;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/** Runs tests on an engine and takes the time. */
final class BenchRunner {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Engine engine;
  private final int batch;
  private final BenchResult.Facts facts;
  private final Counters counters = new Counters();
  private final SplittableRandom random = new SplittableRandom(1);

  BenchRunner(Engine engine, int batch) {
    this.engine = engine;
    this.batch = batch;
    this.facts = BenchResult.Facts.of(engine);
  }

  /**
   * Measures a test several times, after once without counting. What it uses up is that of the last
   * repetition; of heap bytes the least of all: when a method is compiled the JIT makes the string
   * constants of its class, once, on the thread that happened to call it.
   */
  BenchResult measure(
      BenchTest test, int repetitions, EngineOptions options, int threads, LongConsumer done) {
    long[] nanos = new long[repetitions];
    long leastHeap = Long.MAX_VALUE;
    for (int i = -1; i < repetitions; i++) {
      try (Sequence sequence = engine.sequence()) {
        read(sequence, random(test.depth()));
        int[] prompt = random(test.prompt());
        int[] generated = random(test.generated());
        counters.start(engine);
        long start = System.nanoTime();
        read(sequence, prompt);
        for (int token : generated) {
          sequence.append(token);
        }
        long time = System.nanoTime() - start;
        counters.stop(engine);
        if (i >= 0) {
          nanos[i] = time;
          leastHeap = Math.min(leastHeap, counters.heapBytes);
        }
      }
      done.accept(1);
    }
    counters.heapBytes = leastHeap;
    return result(test, options, threads, nanos);
  }

  /** One conversation: a result for each turn's reading and for each turn's generating. */
  List<BenchResult> turns(BenchTest test, EngineOptions options, int threads) {
    List<BenchResult> results = new ArrayList<>();
    try (Sequence sequence = engine.sequence()) {
      for (int turn = 0; turn < test.turns(); turn++) {
        int[] prompt = random(test.prompt());
        int[] generated = random(test.generated());
        BenchTest reading = new BenchTest(prompt.length, 0, sequence.length(), 1);
        counters.start(engine);
        long start = System.nanoTime();
        read(sequence, prompt);
        long time = System.nanoTime() - start;
        counters.stop(engine);
        results.add(result(reading, options, threads, new long[] {time}));
        BenchTest generating = new BenchTest(0, generated.length, sequence.length(), 1);
        counters.start(engine);
        start = System.nanoTime();
        for (int token : generated) {
          sequence.append(token);
        }
        time = System.nanoTime() - start;
        counters.stop(engine);
        results.add(result(generating, options, threads, new long[] {time}));
      }
    }
    results.removeIf(result -> result.test().tokens() == result.test().depth());
    return results;
  }

  private BenchResult result(BenchTest test, EngineOptions options, int threads, long[] nanos) {
    double tokens = Math.max(1, test.prompt() + test.generated());
    return new BenchResult(
        options,
        threads,
        test,
        nanos,
        counters.heapBytes / tokens,
        counters.blocking / tokens,
        counters.waits / tokens,
        counters.plans / tokens,
        counters.submitting / tokens,
        facts);
  }

  private void read(Sequence sequence, int[] tokens) {
    for (int at = 0; at < tokens.length; at += batch) {
      sequence.append(Arrays.copyOfRange(tokens, at, Math.min(tokens.length, at + batch)));
    }
  }

  private int[] random(int count) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = random.nextInt(engine.vocabulary());
    }
    return tokens;
  }

  /** What a measurement uses up; the heap is read innermost, so that counting is not counted. */
  private static final class Counters {
    private long heapBytes;
    private long waits;
    private long blocking;
    private long plans;
    private long submitting;

    void start(Engine engine) {
      waits = engine.bridgeWaits();
      blocking = engine.blockingCalls();
      plans = engine.plansBuilt();
      submitting = engine.submittingNanos();
      heapBytes = THREADS.getTotalThreadAllocatedBytes();
    }

    void stop(Engine engine) {
      heapBytes = THREADS.getTotalThreadAllocatedBytes() - heapBytes;
      waits = engine.bridgeWaits() - waits;
      blocking = engine.blockingCalls() - blocking;
      plans = engine.plansBuilt() - plans;
      submitting = engine.submittingNanos() - submitting;
    }
  }
}
