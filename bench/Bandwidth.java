// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;

/**
 * How fast this machine reads memory: threads add up their halves of an array far larger than its
 * caches, in one stream or in four, and the best of the repetitions counts. Started by {@code
 * bandwidth}, which asks for large pages.
 */
final class Bandwidth {
  private static final int LONGS = 1 << 26;
  private static final int REPETITIONS = 12;
  private static long sink;

  private Bandwidth() {}

  public static void main(String[] args) throws Exception {
    int threads =
        args.length == 2 && args[0].equals("-t")
            ? Integer.parseInt(args[1])
            : Runtime.getRuntime().availableProcessors();
    List<long[]> parts = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      long[] part = new long[LONGS / threads];
      java.util.Arrays.setAll(part, j -> j);
      parts.add(part);
    }
    double most = 0;
    for (int streams : new int[] {1, 4}) {
      double best = best(parts, streams);
      System.out.printf("%d threads, %d streams each: %.1f GB/s%n", threads, streams, best);
      most = Math.max(most, best);
    }
    System.out.printf("read bandwidth: %.1f GB/s%n", most);
  }

  private static double best(List<long[]> parts, int streams) throws Exception {
    double best = 0;
    var barrier = new CyclicBarrier(parts.size() + 1);
    List<Thread> threads = new ArrayList<>();
    for (long[] part : parts) {
      var thread = new Thread(() -> read(part, streams, barrier));
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    for (int i = 0; i < REPETITIONS; i++) {
      barrier.await();
      long start = System.nanoTime();
      barrier.await();
      long bytes = parts.stream().mapToLong(part -> 8L * part.length).sum();
      best = Math.max(best, (double) bytes / (System.nanoTime() - start));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return best;
  }

  private static void read(long[] part, int streams, CyclicBarrier barrier) {
    try {
      for (int i = 0; i < REPETITIONS; i++) {
        barrier.await();
        sink += streams == 1 ? sum(part, 0, part.length) : sumOfFour(part);
        barrier.await();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static long sum(long[] part, int from, int to) {
    long sum = 0;
    for (int j = from; j < to; j++) {
      sum += part[j];
    }
    return sum;
  }

  private static long sumOfFour(long[] part) {
    int quarter = part.length / 4;
    long sum = 0;
    for (int j = 0; j < quarter; j++) {
      sum += part[j] ^ part[quarter + j] ^ part[2 * quarter + j] ^ part[3 * quarter + j];
    }
    return sum;
  }
}
