// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.host.check.ErrorLimit;
import dev.consort.host.check.Feeding;
import dev.consort.host.check.Fixture;
import dev.consort.host.check.LogitsRun;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.host.run.EngineReport;
import dev.consort.host.run.MemberReport;
import dev.consort.model.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares devices and mixes with the truth. */
@Command(
    name = "check",
    description = {
      "Run reference models on devices and mixes and compare the logits with the truth.",
      "A row passes if its NMSE is within the model's measure, and for a mix also within twice its"
          + " worst member alone. Ends with 11 if a row does not."
    },
    sortOptions = false)
final class CheckCommand implements Callable<ExitCode> {
  /** What is tried where the user names nothing; a choice without its devices is left out. */
  private static final List<String> CHOICES =
      List.of(
          "cpu:0",
          "vulkan:llvmpipe",
          "vulkan:swiftshader",
          "cpu:0*2",
          "cpu:0*3",
          "cpu:0*5",
          "cpu:0*8",
          "cpu:0,vulkan:llvmpipe",
          "cpu:0,vulkan:llvmpipe,vulkan:swiftshader",
          "cpu:0*2@3/1");

  private static final double MIX_FACTOR = 2;
  private static final double MIX_SLACK = 1e-9;

  private final Console console;

  @Option(
      names = "--fixtures",
      paramLabel = "DIR",
      required = true,
      description = "Folder of NAME.gguf with the truth in NAME.logits.")
  private Path folder = Path.of("");

  @Option(
      names = "--models",
      paramLabel = "NAME",
      split = ",",
      description = "Only these fixtures, as in llama-q4_0 (default: all).")
  private List<String> names = List.of();

  @Option(
      names = {"--devices", "--device", "-dev"},
      paramLabel = "LIST",
      description =
          "A choice of devices, as in cpu:0*2 or cpu:0*2@3/1 for uneven shares; may be given"
              + " several times (default: the CPU, lavapipe, SwiftShader and mixes of them).")
  private List<String> choices = List.of();

  @Option(
      names = {"--split", "--split-mode", "-sm"},
      paramLabel = "HOW",
      defaultValue = "tensor",
      description = "tensor, layer or none (default: ${DEFAULT-VALUE}).")
  private Split split = Split.TENSOR;

  @Option(
      names = "--feed",
      paramLabel = "HOW",
      split = ",",
      defaultValue = "batch,step",
      description = "batch, step or both (default: ${DEFAULT-VALUE}).")
  private Set<Feeding> feedings = EnumSet.allOf(Feeding.class);

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "md",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private TableFormat format = TableFormat.MD;

  @Mixin private HostOptions host = new HostOptions();

  private final Map<String, Double> alone = new HashMap<>();
  private int failed;

  CheckCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    Table table =
        new Table(
            "model",
            "devices",
            "feed",
            "nmse",
            "limit",
            "bytes_per_member",
            "shares",
            "mirrored",
            "reduces",
            "result");
    try (Consort consort = host.open()) {
      List<Fixture> fixtures =
          Fixture.in(folder).stream()
              .filter(f -> names.isEmpty() || names.contains(f.name()))
              .toList();
      List<String> devices = available(consort);
      try (Bar bar = Bar.of(console, "check", (long) fixtures.size() * devices.size())) {
        for (Fixture fixture : fixtures) {
          check(fixture, consort, devices, table, bar);
        }
      }
    }
    format.write(table, console.out());
    console.say("%d of %d rows failed", failed, table.rows().size());
    return failed == 0 ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  private List<String> available(Consort consort) {
    if (!choices.isEmpty()) {
      return choices;
    }
    List<String> there = new ArrayList<>();
    for (String choice : CHOICES) {
      try {
        consort.select(members(choice));
        there.add(choice);
      } catch (ConsortException e) {
        console.say("left out %s: %s", choice, e.getMessage());
      }
    }
    return there;
  }

  private void check(Fixture fixture, Consort consort, List<String> devices, Table table, Bar bar) {
    try (Model model = Model.open(fixture.model())) {
      float[] truth = fixture.truth(model);
      for (String choice : devices) {
        try {
          LogitsRun run = LogitsRun.of(model, truth, device(consort, choice), feedings);
          double limit = ErrorLimit.of(fixture.name(), model.parameters().experts());
          run.nmse()
              .forEach((feeding, nmse) -> row(table, fixture, choice, feeding, nmse, limit, run));
        } catch (ConsortException e) {
          error(table, fixture, choice, e);
        }
        bar.accept(1);
      }
    } catch (ConsortException e) {
      error(table, fixture, "", e);
      bar.accept(devices.size());
    }
  }

  private void error(Table table, Fixture fixture, String choice, ConsortException e) {
    failed++;
    table.add(fixture.name(), choice, "", "", "", "", "", "", "", "error: " + e.getMessage());
  }

  private void row(
      Table table,
      Fixture fixture,
      String choice,
      Feeding feeding,
      double nmse,
      double measure,
      LogitsRun run) {
    EngineReport report = run.report();
    List<MemberReport> members = report.members();
    double limit = measure;
    if (members.size() == 1) {
      alone.put(key(fixture, members.getFirst().id(), feeding), nmse);
    } else {
      double worst =
          members.stream()
              .mapToDouble(m -> alone.getOrDefault(key(fixture, m.id(), feeding), Double.NaN))
              .reduce(
                  0, (a, b) -> Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : Math.max(a, b));
      limit = Double.isNaN(worst) ? limit : Math.min(limit, MIX_FACTOR * worst + MIX_SLACK);
    }
    boolean passed = nmse <= limit;
    failed += passed ? 0 : 1;
    if (host.isVerbose()) {
      console.say(
          "%s %s %s: nmse %s, limit %s, %s",
          fixture.name(),
          choice,
          feeding.name().toLowerCase(Locale.ROOT),
          scientific(nmse),
          scientific(limit),
          passed ? "passed" : "FAILED");
    }
    long split = members.stream().mapToLong(MemberReport::weightBytes).sum();
    table.add(
        fixture.name(),
        choice,
        feeding.name().toLowerCase(Locale.ROOT),
        scientific(nmse),
        scientific(limit),
        join(members, m -> String.valueOf(m.weightBytes())),
        join(members, m -> "%.1f%%".formatted(100.0 * m.weightBytes() / Math.max(1, split))),
        String.valueOf(members.getFirst().mirroredBytes()),
        report.reducesPerToken(),
        passed ? "passed" : "FAILED");
  }

  private static String join(
      List<MemberReport> members, java.util.function.Function<MemberReport, String> part) {
    return members.stream().map(part).collect(Collectors.joining(" "));
  }

  private static String scientific(double number) {
    return String.format(Locale.ROOT, "%.2e", number);
  }

  private static String key(Fixture fixture, String device, Feeding feeding) {
    return fixture.name() + " " + device + " " + feeding;
  }

  private MetaDevice device(Consort consort, String choice) {
    List<Device> members = consort.select(members(choice));
    int at = choice.indexOf('@');
    double[] weights =
        MemberOptions.weights(at < 0 ? null : choice.substring(at + 1), members.size());
    return new MetaDevice(members, weights, split, WirePolicy.EXACT);
  }

  private static String members(String choice) {
    int at = choice.indexOf('@');
    return at < 0 ? choice : choice.substring(0, at);
  }
}
