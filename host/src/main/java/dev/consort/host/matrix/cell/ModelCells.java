// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.ConsortException;
import dev.consort.api.WirePolicy;
import dev.consort.host.check.ErrorLimit;
import dev.consort.host.check.Feeding;
import dev.consort.host.check.Fixture;
import dev.consort.host.check.LogitsRun;
import dev.consort.host.demo.DemoModel;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Whole models: a row is one model, one way of feeding and, on mixes, one split. */
final class ModelCells implements SectionCells {
  /** For models without a measure: what 4-bit weights of experts may be off. */
  private static final double UNKNOWN = 1e-2;

  /** The built-in model has Q8_0 weights; see {@link ErrorLimit}. */
  private static final double DEMO = ErrorLimit.of("llama-q8_0", 0);

  private record Run(Fixture fixture, Feeding feeding, Split split, double limit) {}

  private final Map<String, Run> runs = new LinkedHashMap<>();
  private final Target target;

  ModelCells(Request.Job job) {
    target = job.target();
    boolean builtIn = job.models().isEmpty();
    List<Path> models = builtIn ? List.of(DemoModel.file()) : job.models();
    for (Path model : models) {
      Fixture fixture = fixture(model);
      double limit = builtIn ? DEMO : limit(fixture);
      add(fixture, Split.TENSOR, limit);
      if (target.isMix()) {
        add(fixture, Split.LAYER, limit);
      }
    }
  }

  private void add(Fixture fixture, Split split, double limit) {
    for (Feeding feeding : Feeding.values()) {
      String row =
          "%s %s%s"
              .formatted(
                  fixture.name(),
                  feeding.name().toLowerCase(Locale.ROOT),
                  split == Split.TENSOR ? "" : ", split layer");
      runs.put(row, new Run(fixture, feeding, split, limit));
    }
  }

  private static Fixture fixture(Path model) {
    String name = model.getFileName().toString().replaceFirst("\\.gguf$", "");
    return new Fixture(name, model, model.resolveSibling(name + ".logits"));
  }

  private static double limit(Fixture fixture) {
    try (Model model = Model.open(fixture.model())) {
      return ErrorLimit.of(fixture.name(), model.parameters().experts());
    } catch (ConsortException e) {
      return UNKNOWN;
    }
  }

  @Override
  public List<String> rows() {
    return List.copyOf(runs.keySet());
  }

  @Override
  public Outcome run(String row, MetaDevice device, Consumer<String> at) {
    Run run = runs.get(row);
    double[] shares = target.shares().stream().mapToDouble(Double::doubleValue).toArray();
    MetaDevice split = new MetaDevice(device.members(), shares, run.split(), WirePolicy.EXACT);
    try (Model model = Model.open(run.fixture().model())) {
      at.accept("the truth");
      float[] truth = truth(run.fixture(), model);
      at.accept("the run");
      LogitsRun found = LogitsRun.of(model, truth, split, Set.of(run.feeding()));
      double nmse = found.nmse().get(run.feeding());
      String measured = String.format(Locale.ROOT, "NMSE %.2e, limit %.2e", nmse, run.limit());
      if (!found.report().notes().isEmpty()) {
        measured += "; " + String.join("; ", found.report().notes());
      }
      return nmse <= run.limit() ? Outcome.passed(measured) : Outcome.failed(measured);
    }
  }

  private static float[] truth(Fixture fixture, Model model) {
    return Files.exists(fixture.logits())
        ? fixture.truth(model)
        : ScalarTruth.of(fixture.model(), model);
  }
}
