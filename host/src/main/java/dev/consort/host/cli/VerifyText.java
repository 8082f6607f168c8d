// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.verify.VerifyReport;
import dev.consort.host.verify.VerifyResult;
import dev.consort.host.verify.VerifyState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A verification for people, or as a table of all tests. */
final class VerifyText {
  private static final int WIDTH = 160;

  private VerifyText() {}

  static void write(VerifyReport report, TableFormat format, boolean verbose, Console console) {
    if (format != TableFormat.TEXT) {
      format.write(tests(report), console.out());
      return;
    }
    TableFormat.TEXT.write(summary(report), console.out());
    for (VerifyState bad : List.of(VerifyState.CRASHED, VerifyState.FAILED)) {
      for (VerifyResult result : report.of(bad)) {
        console
            .out()
            .printf(
                "%n%s: %s %s%n  %s%n",
                bad.label(), result.section(), result.test(), shorten(result.reason(), verbose));
      }
    }
    reasons(report, VerifyState.EXPECTED_FAILURE, verbose, console);
    reasons(report, VerifyState.UNSUPPORTED, verbose, console);
    console.out().printf("%n%s%n", verdict(report));
    console.out().flush();
  }

  private static Table tests(VerifyReport report) {
    Table table = new Table("section", "test", "result", "reason", "seconds");
    for (VerifyResult result : report.results()) {
      table.add(
          result.section(),
          result.test(),
          result.state().label(),
          result.reason(),
          String.format(Locale.ROOT, "%.4f", result.time().toNanos() / 1e9));
    }
    return table;
  }

  private static Table summary(VerifyReport report) {
    Table table =
        new Table(
            "section", "passed", "failed", "crashed", "expected failure", "unsupported", "seconds");
    Map<String, List<VerifyResult>> sections =
        report.results().stream()
            .collect(
                Collectors.groupingBy(
                    VerifyResult::section, LinkedHashMap::new, Collectors.toList()));
    sections.forEach((name, results) -> table.add(row(name, results)));
    table.add(row("all", report.results()));
    return table;
  }

  private static Object[] row(String name, List<VerifyResult> results) {
    double seconds = results.stream().mapToLong(result -> result.time().toNanos()).sum() / 1e9;
    return new Object[] {
      name,
      count(results, VerifyState.PASSED),
      count(results, VerifyState.FAILED),
      count(results, VerifyState.CRASHED),
      count(results, VerifyState.EXPECTED_FAILURE),
      count(results, VerifyState.UNSUPPORTED),
      String.format(Locale.ROOT, "%.1f", seconds)
    };
  }

  private static long count(List<VerifyResult> results, VerifyState state) {
    return results.stream().filter(result -> result.state() == state).count();
  }

  /** How many tests a reason holds for; with {@code verbose} which. */
  private static void reasons(
      VerifyReport report, VerifyState state, boolean verbose, Console console) {
    Map<String, List<VerifyResult>> byReason =
        report.of(state).stream()
            .collect(
                Collectors.groupingBy(
                    VerifyResult::reason, LinkedHashMap::new, Collectors.toList()));
    if (!byReason.isEmpty()) {
      console.out().printf("%n%s%n", state.label());
    }
    byReason.forEach(
        (reason, results) -> {
          console.out().printf("%6d  %s%n", results.size(), shorten(reason, verbose));
          if (verbose) {
            results.forEach(
                result ->
                    console.out().printf("          %s %s%n", result.section(), result.test()));
          }
        });
  }

  private static String shorten(String text, boolean verbose) {
    return verbose || text.length() <= WIDTH ? text : text.substring(0, WIDTH - 3) + "...";
  }

  private static String verdict(VerifyReport report) {
    int bad = report.of(VerifyState.FAILED).size() + report.of(VerifyState.CRASHED).size();
    String more =
        report.devices().size() > 1
            ? "; it has %d devices, --device chooses another".formatted(report.devices().size())
            : "";
    if (report.isGreen()) {
      return "%s passes on %s%s".formatted(report.plugin(), report.device(), more);
    }
    return "%s does not pass on %s: %s%s"
        .formatted(
            report.plugin(),
            report.device(),
            bad == 0 ? "no test passed" : bad + " of its tests failed",
            more);
  }
}
