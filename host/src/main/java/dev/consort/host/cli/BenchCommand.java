// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.model.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures reading and writing speed. */
@Command(
    name = "bench",
    description = "Measure the speed of reading prompts (pp) and of generating (tg).",
    sortOptions = false)
final class BenchCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      required = true,
      split = ",",
      description = "The models.")
  private List<Path> files = List.of();

  @Option(
      names = {"-p", "--n-prompt"},
      paramLabel = "N",
      split = ",",
      defaultValue = "512",
      description = "Prompt lengths to read; 0 for none (default: ${DEFAULT-VALUE}).")
  private List<Integer> prompts = List.of();

  @Option(
      names = {"-n", "--n-gen"},
      paramLabel = "N",
      split = ",",
      defaultValue = "128",
      description = "Numbers of tokens to generate; 0 for none (default: ${DEFAULT-VALUE}).")
  private List<Integer> generations = List.of();

  @Option(
      names = {"-d", "--n-depth"},
      paramLabel = "N",
      split = ",",
      defaultValue = "0",
      description = "Tokens that are in the cache before (default: ${DEFAULT-VALUE}).")
  private List<Integer> depths = List.of();

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      defaultValue = "2048",
      description = "Tokens handed over at once (default: ${DEFAULT-VALUE}).")
  private int batch = 2048;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      defaultValue = "5",
      description =
          "Measurements of each, after one that does not count (default: ${DEFAULT-VALUE}).")
  private int repetitions = 5;

  @Mixin private ThreadsOption threads = new ThreadsOption();

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Instead measure a conversation of N turns, each of -p tokens read and -n generated, with"
              + " one row a turn.")
  private int turns;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "md",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private TableFormat format = TableFormat.MD;

  @Mixin private ContextOption context = new ContextOption();

  @Mixin private RigOptions options = new RigOptions();

  BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    check(prompts, generations, depths, List.of(turns));
    if (batch < 1 || repetitions < 1) {
      throw new ConsortException(ErrorCode.INVALID_ARGUMENT, "-b and -r are at least 1");
    }
    List<BenchResult> results = new ArrayList<>();
    try (Consort consort = options.host().open()) {
      for (Path file : files) {
        measure(file, options.measured(consort, file, threads.threads()), results);
      }
    }
    format.write(BenchResult.table(results, format), console.out());
    return ExitCode.OK;
  }

  private void measure(Path file, MetaDevice device, List<BenchResult> results) {
    List<BenchTest> tests = tests();
    int longest = tests.stream().mapToInt(BenchTest::tokens).max().orElse(1);
    EngineOptions run =
        options.over(
            context.over(EngineOptions.defaults().withContext(Math.ceilDiv(longest, 256) * 256)));
    try (Model model = Model.open(file);
        Engine engine = Rig.load(console, model, device, run)) {
      if (options.isVerbose()) {
        Summary.members(console, engine);
      }
      BenchRunner runner = new BenchRunner(engine, batch);
      if (turns > 0) {
        results.addAll(runner.turns(tests.getFirst(), run, threads.threads()));
        return;
      }
      try (Bar bar = Bar.of(console, "bench", (long) tests.size() * (repetitions + 1))) {
        for (BenchTest test : tests) {
          results.add(runner.measure(test, repetitions, run, threads.threads(), bar));
        }
      }
    }
  }

  /** Prompts first, as llama-bench has them; a conversation is one test. */
  private List<BenchTest> tests() {
    if (turns > 0) {
      return List.of(new BenchTest(prompts.getFirst(), generations.getFirst(), 0, turns));
    }
    List<BenchTest> tests = new ArrayList<>();
    for (int depth : depths) {
      prompts.stream().filter(n -> n > 0).forEach(n -> tests.add(new BenchTest(n, 0, depth, 1)));
      generations.stream()
          .filter(n -> n > 0)
          .forEach(n -> tests.add(new BenchTest(0, n, depth, 1)));
    }
    if (tests.isEmpty()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "nothing is left to measure: -p and -n are both 0");
    }
    return tests;
  }

  @SafeVarargs
  private static void check(List<Integer>... lists) {
    for (List<Integer> list : lists) {
      for (int n : list) {
        if (n < 0) {
          throw new ConsortException(
              ErrorCode.INVALID_ARGUMENT, "a count can't be " + n + "; give 0 or more");
        }
      }
    }
  }
}
