// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.quantize.QuantizeReport;
import dev.consort.model.quantize.Quantizer;
import dev.consort.model.synth.WeightMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model with smaller weights. */
@Command(
    name = "quantize",
    description = "Write a model again with weights of another type.",
    sortOptions = false)
final class QuantizeCommand implements Callable<ExitCode> {
  private final Console console;

  @Parameters(index = "0", paramLabel = "IN", description = "A model in f32, f16 or bf16.")
  private Path in = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "The file to write.")
  private Path out = Path.of("");

  @Parameters(
      index = "2",
      paramLabel = "TYPE",
      description = "q8_0, q4_0, q4_k_m, q5_k_m or q6_k; also f32, f16 and bf16.")
  private String type = "";

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads to work with; 0 for all there are (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--allow-requantize",
      description = "Also take weights that are quantised already, which costs quality.")
  private boolean again;

  @Mixin private HostOptions host = new HostOptions();

  QuantizeCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    WeightMix mix = WeightMix.of(type);
    if (threads < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "%d threads can't be used".formatted(threads));
    }
    int workers = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    long start = System.nanoTime();
    QuantizeReport report;
    try (GgufFile file = GgufFile.open(in);
        Bar.Lazy bar = new Bar.Lazy(console, out.getFileName() + "")) {
      requireAnother();
      report =
          new Quantizer(mix, again ? Quantizer.Again.ALLOW : Quantizer.Again.REFUSE)
              .write(file, out, workers, bar::at);
    }
    tell(report, (System.nanoTime() - start) / 1e9);
    return ExitCode.OK;
  }

  private void requireAnother() {
    if (Files.isDirectory(out)) {
      throw new ConsortException(
          ErrorCode.IO, "%s is a folder; name a file to write".formatted(out));
    }
    try {
      if (Files.exists(out) && Files.isSameFile(in, out)) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "%s would replace the model it is made from; name another file".formatted(out));
      }
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO, "%s can't be read (%s); check its rights".formatted(out, e), e);
    }
  }

  private void tell(QuantizeReport report, double seconds) {
    Map<DataType, Long> counts = new TreeMap<>();
    for (QuantizeReport.Change change : report.tensors()) {
      counts.merge(change.to(), 1L, Long::sum);
      if (host.isVerbose()) {
        console.say(
            "%-40s %-24s %s -> %s",
            change.name(), change.shape(), change.from().label(), change.to().label());
      }
    }
    counts.forEach((each, count) -> console.say("%5d tensors of type %s", count, each.label()));
    console.say(
        "wrote %s: %s, was %s, in %.1f s",
        out, Summary.bytes(report.bytesAfter()), Summary.bytes(report.bytesBefore()), seconds);
  }
}
