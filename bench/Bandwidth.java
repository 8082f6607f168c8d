// SPDX-License-Identifier: Apache-2.0
import java.util.Arrays;

/**
 * How fast this machine reads memory with {@link Reading}: the median and the best of some
 * repetitions, for one stream a thread and for several. Started by {@code bandwidth}, which asks for
 * large pages.
 */
final class Bandwidth {
  private static final int REPETITIONS = 12;

  private Bandwidth() {}

  public static void main(String[] args) throws Exception {
    int threads =
        args.length == 2 && args[0].equals("-t")
            ? Integer.parseInt(args[1])
            : Runtime.getRuntime().availableProcessors();
    Reading reading = new Reading(threads);
    double most = 0;
    for (int streams : Reading.STREAMS) {
      double[] speeds = new double[REPETITIONS];
      for (int i = 0; i < REPETITIONS; i++) {
        speeds[i] = reading.read(streams, 1 << 29);
      }
      Arrays.sort(speeds);
      double median = (speeds[REPETITIONS / 2 - 1] + speeds[REPETITIONS / 2]) / 2;
      double best = speeds[REPETITIONS - 1];
      System.out.printf(
          "%d threads, streams each: %d, median %.1f GB/s, best %.1f GB/s%n",
          threads, streams, median, best);
      most = Math.max(most, best);
    }
    System.out.printf("read bandwidth: %.1f GB/s%n", most);
  }
}
