// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The speeds of both sides, a number a round for each test, and what follows from them. */
final class Table {

  enum Format {
    MD(
        """
        | model | test | consort t/s | peer t/s | ratio | ratio, min | ratio, max | rounds |
        | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        """,
        "| %s | %s | %.2f | %.2f | %.3f | %.3f | %.3f | %d |\n"),
    CSV(
        "model,test,consort_ts,peer_ts,ratio,ratio_min,ratio_max,rounds\n",
        "\"%s\",%s,%.4f,%.4f,%.4f,%.4f,%.4f,%d\n");

    private final String head;
    private final String row;

    Format(String head, String row) {
      this.head = head;
      this.row = row;
    }

    static Format named(String name) {
      return switch (name) {
        case "md" -> MD;
        case "csv" -> CSV;
        default -> throw Failure.usage("--output is '" + name + "', expected md or csv");
      };
    }
  }

  private record Series(List<Double> consort, List<Double> peer, List<Double> ratios) {
    Series() {
      this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }
  }

  private final Map<Side.Test, Series> results = new LinkedHashMap<>();

  void add(Map<Side.Test, Double> consort, Map<Side.Test, Double> peer) {
    if (!consort.keySet().equals(peer.keySet())) {
      throw Failure.side(
          "the sides ran different tests: consort %s, the peer %s"
              .formatted(labels(consort), labels(peer)));
    }
    consort.forEach(
        (test, speed) -> {
          Series series = results.computeIfAbsent(test, t -> new Series());
          series.consort().add(speed);
          series.peer().add(peer.get(test));
          series.ratios().add(speed / peer.get(test));
        });
  }

  String render(Format format) {
    StringBuilder text = new StringBuilder(format.head);
    results.forEach(
        (test, series) ->
            text.append(
                String.format(
                    Locale.ROOT,
                    format.row,
                    test.model().getFileName(),
                    test.label(),
                    median(series.consort()),
                    median(series.peer()),
                    median(series.ratios()),
                    series.ratios().stream().mapToDouble(x -> x).min().orElseThrow(),
                    series.ratios().stream().mapToDouble(x -> x).max().orElseThrow(),
                    series.ratios().size())));
    return text.toString();
  }

  /** A line for each test whose median ratio is below its bar. */
  List<String> misses(Optional<Double> minPrompt, Optional<Double> minGeneration) {
    List<String> misses = new ArrayList<>();
    results.forEach(
        (test, series) -> {
          double ratio = median(series.ratios());
          Optional<Double> bar = test.generated() == 0 ? minPrompt : minGeneration;
          bar.filter(least -> ratio < least)
              .ifPresent(
                  least ->
                      misses.add(
                          String.format(
                              Locale.ROOT,
                              "%s %s reaches %.3f of the peer, expected at least %.3f",
                              test.model().getFileName(),
                              test.label(),
                              ratio,
                              least)));
        });
    return misses;
  }

  private static List<String> labels(Map<Side.Test, Double> side) {
    return side.keySet().stream().map(Side.Test::label).toList();
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(x -> x).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
