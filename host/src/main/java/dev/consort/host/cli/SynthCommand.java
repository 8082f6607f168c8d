// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.model.synth.Geometry;
import dev.consort.model.synth.Synthesizer;
import dev.consort.model.synth.WeightMix;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model of random weights. */
@Command(
    name = "synth",
    description = "Write a GGUF of random weights of a given geometry and type, for benchmarks.",
    sortOptions = false)
final class SynthCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--geometry",
      paramLabel = "NAME",
      defaultValue = "1.1b",
      description =
          "Sizes to start from: 1.1b, 8b, 70b, 30b-a3b (default: ${DEFAULT-VALUE}); the"
              + " options below change single ones.")
  private String geometry = "1.1b";

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "q4_0",
      description =
          "f32, f16, bf16, q8_0, q4_0, q4_k_m, q5_k_m or q6_k (default: ${DEFAULT-VALUE}).")
  private String type = "q4_0";

  @Option(names = "--hidden", paramLabel = "N", description = "Elements of a token's state.")
  private @Nullable Integer hidden;

  @Option(names = "--layers", paramLabel = "N", description = "Layers.")
  private @Nullable Integer layers;

  @Option(names = "--ffn", paramLabel = "N", description = "Width of the feed-forward layers.")
  private @Nullable Integer ffn;

  @Option(names = "--heads", paramLabel = "N", description = "Attention heads.")
  private @Nullable Integer heads;

  @Option(names = "--kv-heads", paramLabel = "N", description = "Key/value heads.")
  private @Nullable Integer kvHeads;

  @Option(
      names = "--head-size",
      paramLabel = "N",
      description = "Elements of a head (default: hidden / heads).")
  private @Nullable Integer headSize;

  @Option(names = "--vocab", paramLabel = "N", description = "Tokens of the vocabulary.")
  private @Nullable Integer vocabulary;

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      description = "Tokens of context that the file declares.")
  private @Nullable Integer context;

  @Option(
      names = "--experts",
      paramLabel = "N",
      description = "Experts a layer; with any the architecture is qwen3moe, else llama.")
  private @Nullable Integer experts;

  @Option(names = "--experts-used", paramLabel = "N", description = "Experts that a token visits.")
  private @Nullable Integer expertsUsed;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same file (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Mixin private HostOptions host = new HostOptions();

  SynthCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    Synthesizer synthesizer = new Synthesizer(geometry(), WeightMix.of(type), seed);
    int threads = Runtime.getRuntime().availableProcessors();
    long start = System.nanoTime();
    try (Bar.Lazy bar = new Bar.Lazy(console, output.toString())) {
      synthesizer.write(output, threads, bar::at);
    }
    console.say(
        "wrote %s: %s in %.1f s",
        output, Summary.bytes(output.toFile().length()), (System.nanoTime() - start) / 1e9);
    return ExitCode.OK;
  }

  private Geometry geometry() {
    Geometry base = Geometry.preset(geometry);
    int newHidden = or(hidden, base.embedding());
    int newHeads = or(heads, base.heads());
    boolean sameHeads = newHidden == base.embedding() && newHeads == base.heads();
    return new Geometry(
        or(layers, base.layers()),
        newHidden,
        newHeads,
        or(kvHeads, base.kvHeads()),
        or(headSize, sameHeads ? base.headLength() : newHidden / Math.max(1, newHeads)),
        or(ffn, base.feedForward()),
        or(vocabulary, base.vocabulary()),
        or(context, base.context()),
        or(experts, base.experts()),
        or(expertsUsed, base.expertsUsed()));
  }

  private static int or(@Nullable Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }
}
