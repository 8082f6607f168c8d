// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.host.meta.MetaDevice;
import dev.consort.tck.Declaration;
import dev.consort.tck.OperationCheck;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/**
 * Operations with types: a row runs the kit's cases of one of each, weights also in every extra
 * buffer type that takes them.
 */
final class OperationCells implements SectionCells {
  private static final int QUICK_CASES = 3;

  private final Map<String, List<OperationCase>> rows;
  private @Nullable Backend backend;

  /**
   * @throws ConsortException UNSUPPORTED where the kit is not on the class path
   */
  OperationCells(Request.Job job) {
    Kit.require();
    Map<String, List<OperationCase>> single = byRow(OperationCases.single());
    Map<String, List<OperationCase>> sharded = byRow(OperationCases.sharded());
    rows = new LinkedHashMap<>();
    single.forEach(
        (row, cases) -> {
          // What declares shards comes apart on a mix; the rest every member does whole.
          List<OperationCase> split = sharded.getOrDefault(row, List.of());
          rows.put(row, job.depth() == Depth.FULL ? both(split, cases) : few(job, split, cases));
        });
  }

  private static List<OperationCase> few(
      Request.Job job, List<OperationCase> split, List<OperationCase> whole) {
    boolean mix = job.target().isMix() && !split.isEmpty();
    return mix
        ? both(spread(split, QUICK_CASES - 1), spread(whole, 1))
        : spread(whole, QUICK_CASES);
  }

  private static List<OperationCase> both(List<OperationCase> a, List<OperationCase> b) {
    List<OperationCase> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  /** Some of the cases that every device must take and that compute something. */
  private static List<OperationCase> spread(List<OperationCase> cases, int count) {
    List<OperationCase> telling =
        cases.stream()
            .filter(test -> test.need() == OperationCase.Need.REQUIRED)
            .filter(test -> test.output().bytes() > 0)
            .toList();
    List<OperationCase> of = telling.isEmpty() ? cases : telling;
    List<OperationCase> chosen = new ArrayList<>();
    for (int i = 0; i < Math.min(count, of.size()); i++) {
      chosen.add(of.get(count == 1 ? of.size() / 2 : i * (of.size() - 1) / (count - 1)));
    }
    return chosen.stream().distinct().toList();
  }

  /** Operations in the kit's order, of each its types. */
  private static Map<String, List<OperationCase>> byRow(List<OperationCase> cases) {
    Map<String, Map<String, List<OperationCase>>> byLabel = new LinkedHashMap<>();
    for (OperationCase test : cases) {
      byLabel
          .computeIfAbsent(test.label(), label -> new LinkedHashMap<>())
          .computeIfAbsent(test.label() + " " + test.type().label(), row -> new ArrayList<>())
          .add(test);
    }
    Map<String, List<OperationCase>> byRow = new LinkedHashMap<>();
    byLabel.values().forEach(byRow::putAll);
    return byRow;
  }

  @Override
  public List<String> rows() {
    return List.copyOf(rows.keySet());
  }

  @Override
  public Outcome run(String row, MetaDevice device, Consumer<String> at) {
    Backend stream = backend == null ? device.createBackend() : backend;
    backend = stream;
    // What is undeclared may be refused, and must be right where it is not.
    OperationCheck check = new OperationCheck(Subject.of(device, Declaration.nothing()), stream);
    Tally tally = new Tally();
    for (OperationCase test : rows.getOrDefault(row, List.of())) {
      tally.add(check, test, Optional.empty(), at);
      for (BufferType extra : check.accepting(test)) {
        tally.add(check, test, Optional.of(extra), at);
      }
    }
    return tally.outcome();
  }

  @Override
  public void close() {
    if (backend != null) {
      backend.close();
    }
  }

  /** What came of a row's cases. */
  private static final class Tally {
    private final List<String> failures = new ArrayList<>();
    private final List<String> refusals = new ArrayList<>();
    private int cases;
    private Outcome.After after = Outcome.After.GO_ON;

    void add(
        OperationCheck check,
        OperationCase test,
        Optional<BufferType> weights,
        Consumer<String> at) {
      if (after == Outcome.After.FRESH_JVM) {
        return;
      }
      String name = test.name() + weights.map(type -> " in " + type.name()).orElse("");
      at.accept(name);
      cases++;
      try {
        check.run(test, weights);
      } catch (TestAbortedException e) {
        refusals.add(String.valueOf(e.getMessage()).replaceFirst("^not supported: ", ""));
      } catch (RuntimeException | AssertionError e) {
        Outcome outcome = Outcome.of(e);
        if (outcome.state() == CellState.UNSUPPORTED) {
          refusals.add(outcome.detail());
        } else {
          String detail = outcome.detail();
          failures.add(detail.contains(test.name()) ? detail : name + ": " + detail);
          after = outcome.after();
        }
      }
    }

    Outcome outcome() {
      if (!failures.isEmpty()) {
        return new Outcome(
            CellState.FAILED,
            "%d of %d cases failed; %s"
                .formatted(failures.size(), cases, String.join("; ", failures)),
            after);
      }
      if (refusals.size() == cases) {
        return Outcome.unsupported(String.join("; ", refusals.stream().distinct().toList()));
      }
      return Outcome.passed(
          refusals.isEmpty()
              ? "%d cases".formatted(cases)
              : "%d cases, %d refused: %s"
                  .formatted(
                      cases - refusals.size(),
                      refusals.size(),
                      String.join("; ", refusals.stream().distinct().toList())));
    }
  }
}
