// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.check.Fixture;
import dev.consort.host.matrix.ExpectedFailures;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.MatrixOptions;
import dev.consort.host.matrix.MatrixRun;
import dev.consort.host.matrix.TargetChoice;
import dev.consort.host.matrix.cell.Depth;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.report.MatrixChanges;
import dev.consort.host.matrix.report.MatrixJson;
import dev.consort.host.matrix.report.MatrixText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tries what every device and mix can do. */
@Command(
    name = "matrix",
    description = {
      "Try what devices and mixes can do: capabilities, operations, models, collectives.",
      "Everything runs in forked JVMs, so that a crash is one red cell. Ends with 11 if a cell"
          + " failed or crashed; with --compare only if something got worse."
    },
    sortOptions = false)
final class MatrixCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"--devices", "--device", "-dev"},
      paramLabel = "LIST",
      split = ",",
      description =
          "Columns of one device each, as in cpu:0,vulkan:llvmpipe (default: all, with mixes of"
              + " them; none where --mixes is given).")
  private List<String> devices = List.of();

  @Option(
      names = "--mixes",
      paramLabel = "LIST",
      arity = "1..*",
      description =
          "Columns of several members each, as in cpu:0*2 cpu:0,vulkan:1 cpu:0*2@3/1 (default: of"
              + " devices that compute differently all pairs and all together; none where"
              + " --devices is given).")
  private List<String> mixes = List.of();

  @Option(
      names = "--what",
      paramLabel = "PART",
      split = ",",
      description = "ops, caps, models, collectives (default: all).")
  private Set<Section> sections = EnumSet.allOf(Section.class);

  @Option(
      names = "--depth",
      paramLabel = "DEPTH",
      defaultValue = "quick",
      description = "quick or full: a few cases a row or all (default: ${DEFAULT-VALUE}).")
  private Depth depth = Depth.QUICK;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description =
          "A GGUF file for the models part, with its true logits in NAME.logits beside it or small,"
              + " or a folder of such pairs; may be given several times (default: the built-in"
              + " model).")
  private List<Path> models = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "A file to write, by its ending .html, .json, .csv or .txt, or one of text, html, json,"
              + " csv for stdout; may be given several times (default: text).")
  private List<String> outputs = List.of();

  @Option(
      names = "--compare",
      paramLabel = "OLD.json",
      description = "An earlier matrix; says what changed.")
  private @Nullable Path old;

  @Option(
      names = "--expected",
      paramLabel = "FILE",
      description =
          "Failures that are known, a line each: TARGET | PART ROW | REASON, with * for anything.")
  private @Nullable Path expected;

  @Option(names = "--fresh", description = "Run what nothing has changed for since, too.")
  private boolean fresh;

  @Option(
      names = {"-j", "--jobs"},
      paramLabel = "N",
      description = "JVMs at once (default: half the processors, at most 4).")
  private int jobs;

  @Option(
      names = "--limit",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "How long a cell may take (default: ${DEFAULT-VALUE}).")
  private int limit = 60;

  @Mixin private HostOptions host = new HostOptions();

  MatrixCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    Optional<Matrix> before = Optional.ofNullable(old).map(MatrixJson::read);
    List<MatrixOutput> files = new ArrayList<>();
    try {
      for (String output : outputs) {
        files.add(MatrixOutput.of(output, console, host.isVerbose()));
      }
      if (files.isEmpty()) {
        files.add(MatrixOutput.of("text", console, host.isVerbose()));
      }
      Matrix matrix;
      try (MatrixProgress progress = new MatrixProgress(console)) {
        matrix = MatrixRun.fill(options(), progress);
      }
      Optional<MatrixChanges> changes =
          before.map(earlier -> MatrixChanges.between(earlier, matrix));
      files.forEach(file -> file.write(matrix, changes));
      console.say("%s", MatrixText.summary(matrix));
      changes.ifPresent(this::tell);
      boolean good = changes.map(c -> c.worse().isEmpty()).orElse(matrix.isGreen());
      return good ? ExitCode.OK : ExitCode.CHECK_FAILED;
    } finally {
      files.forEach(MatrixOutput::close);
    }
  }

  private void tell(MatrixChanges changes) {
    changes.changes().forEach(change -> console.say("%s", change));
    console.say(
        "compared with %s: %d changes, %d of them worse",
        old, changes.changes().size(), changes.worse().size());
  }

  private static Stream<Path> files(Path model) {
    if (Files.isDirectory(model)) {
      return Fixture.in(model).stream().map(Fixture::model);
    }
    if (!Files.isReadable(model)) {
      throw new ConsortException(ErrorCode.NOT_FOUND, model + " is no file that can be read");
    }
    return Stream.of(model);
  }

  private MatrixOptions options() {
    if (limit < 1 || jobs < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found --limit %d and --jobs %d, expected numbers from 1".formatted(limit, jobs));
    }
    MatrixOptions options =
        MatrixOptions.defaults()
            .withSections(sections)
            .withDepth(depth)
            .withModels(models.stream().flatMap(MatrixCommand::files).toList())
            .withSettings(host.settings())
            .withLimit(Duration.ofSeconds(limit))
            .withKept(fresh ? MatrixOptions.Kept.IGNORE : MatrixOptions.Kept.TAKE);
    options = host.folder().map(options::withPlugins).orElse(options);
    options = jobs > 0 ? options.withJobs(jobs) : options;
    options = expected == null ? options : options.withExpected(ExpectedFailures.read(expected));
    return devices.isEmpty() && mixes.isEmpty()
        ? options
        : options.withTargets(TargetChoice.named(devices, mixes));
  }
}
