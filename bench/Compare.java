// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Compares {@code consort bench} with a peer that takes llama-bench's options, on the same files.
 *
 * <p>A round runs every model once on each side. The side that goes first changes every round, so
 * that a machine that slows down or speeds up does so for both. The table shows the medians of the
 * rounds' speeds, and the median and the range of the rounds' ratios.
 */
final class Compare {
  private Compare() {}

  public static void main(String[] args) throws InterruptedException {
    if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
      System.out.print(Options.HELP);
      return;
    }
    try {
      Options options = Options.parse(args);
      Table table = measure(options);
      System.out.print(table.render(options.format()));
      List<String> misses = table.misses(options.minPrompt(), options.minGeneration());
      misses.forEach(System.err::println);
      System.exit(misses.isEmpty() ? 0 : Failure.BELOW_BAR);
    } catch (Failure e) {
      System.err.println("compare: " + e.getMessage());
      System.exit(e.exitCode());
    }
  }

  private static Table measure(Options options) throws InterruptedException {
    Side consort =
        new Side(
            "consort",
            List.of(options.consort().toString(), "bench"),
            options.consortOnly());
    Side peer = new Side("the peer", List.of(options.peer().toString()), options.peerOnly());
    Table table = new Table();
    for (int round = 1; round <= options.rounds(); round++) {
      for (Path model : options.models()) {
        System.err.printf("round %d of %d: %s%n", round, options.rounds(), model.getFileName());
        if (round % 2 == 1) {
          Map<Side.Test, Double> ours = run(consort, model, options);
          table.add(ours, run(peer, model, options));
        } else {
          Map<Side.Test, Double> theirs = run(peer, model, options);
          table.add(run(consort, model, options), theirs);
        }
      }
    }
    return table;
  }

  private static Map<Side.Test, Double> run(Side side, Path model, Options options)
      throws InterruptedException {
    return side.run(model, options.shared(), options.timeoutSeconds());
  }
}
