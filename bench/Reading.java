// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;

/**
 * Threads that add up their parts of arrays far larger than any cache, each in one stream or in
 * several at once: as fast as this machine reads memory. From one thread.
 */
final class Reading {
  /** The numbers of streams that can be asked for. */
  static final int[] STREAMS = {1, 2, 4};

  private static final int LONGS = 1 << 26;
  private static long sink;

  private final List<long[]> parts = new ArrayList<>();
  private final CyclicBarrier barrier;
  private int streams;
  private int passes;

  /** Starts the threads; they end with the program. */
  Reading(int threads) throws Exception {
    barrier = new CyclicBarrier(threads + 1);
    for (int i = 0; i < threads; i++) {
      long[] part = new long[LONGS / threads / 4 * 4];
      Arrays.setAll(part, j -> j);
      parts.add(part);
      Thread thread = new Thread(() -> work(part));
      thread.setDaemon(true);
      thread.start();
    }
    for (int kind : STREAMS) {
      read(kind, 1L << 32);
    }
  }

  /** Reads about so many bytes and returns how many it read a nanosecond, which is GB/s. */
  double read(int streamCount, long bytes) throws Exception {
    long pass = parts.stream().mapToLong(part -> 8L * part.length).sum();
    streams = streamCount;
    passes = (int) Math.max(1, Math.round((double) bytes / pass));
    barrier.await();
    long start = System.nanoTime();
    barrier.await();
    return (double) pass * passes / (System.nanoTime() - start);
  }

  private void work(long[] part) {
    try {
      while (true) {
        barrier.await();
        for (int i = 0; i < passes; i++) {
          sink += switch (streams) {
            case 1 -> one(part);
            case 2 -> two(part, part.length / 2);
            default -> four(part, part.length / 4);
          };
        }
        barrier.await();
      }
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long one(long[] part) {
    long sum = 0;
    for (int j = 0; j < part.length; j++) {
      sum += part[j];
    }
    return sum;
  }

  private static long two(long[] part, int half) {
    long sum = 0;
    for (int j = 0; j < half; j++) {
      sum += part[j] ^ part[half + j];
    }
    return sum;
  }

  private static long four(long[] part, int quarter) {
    long sum = 0;
    for (int j = 0; j < quarter; j++) {
      sum += part[j] ^ part[quarter + j] ^ part[2 * quarter + j] ^ part[3 * quarter + j];
    }
    return sum;
  }
}
