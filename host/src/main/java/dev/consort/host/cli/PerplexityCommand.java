// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.perplexity.Divergence;
import dev.consort.host.perplexity.Estimate;
import dev.consort.host.perplexity.Evaluation;
import dev.consort.host.perplexity.Likelihood;
import dev.consort.host.perplexity.SavedLogits;
import dev.consort.host.perplexity.Scorer;
import dev.consort.host.perplexity.Windows;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.model.Model;
import dev.consort.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well a model foretells a text. */
@Command(
    name = "perplexity",
    description =
        "Measure how well a model foretells a text, or how far it is from another's logits.",
    sortOptions = false)
final class PerplexityCommand implements Callable<ExitCode> {
  private static final int WINDOW = 512;

  private final Console console;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      required = true,
      description = "The model.")
  private Path file = Path.of("");

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "The text, in UTF-8.")
  private @Nullable Path text;

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of a window; its second half is scored (default: ${DEFAULT-VALUE}).")
  private int length = WINDOW;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      defaultValue = "-1",
      description = "The most windows; -1 for all (default: ${DEFAULT-VALUE}).")
  private int chunks = -1;

  @Option(
      names = "--ppl-stride",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Windows of -c + N/2 tokens that begin N tokens apart, the last N scored; 0 for windows"
              + " side by side (default: ${DEFAULT-VALUE}).")
  private int stride;

  @Option(
      names = {"--kl-divergence-base", "--save-all-logits"},
      paramLabel = "FILE",
      description = "Save the logits here; with --kl-divergence, read them from here.")
  private @Nullable Path logits;

  @Option(
      names = "--kl-divergence",
      description = "Compare with the logits saved in --kl-divergence-base.")
  private boolean divergence;

  @Mixin private ThreadsOption threads = new ThreadsOption();

  @Mixin private RigOptions options = new RigOptions();

  PerplexityCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    if (divergence) {
      return compare(
          required(logits, "--kl-divergence compares with logits", "--kl-divergence-base"));
    }
    String content = read(required(text, "there is no text to score", "-f"));
    if (logits != null && stride > 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "logits of overlapping windows can't be saved; leave out --ppl-stride");
    }
    try (Model model = Model.open(file)) {
      Tokenizer tokenizer = tokenizer(model);
      int[] tokens = tokenizer.encode(content, Tokenizer.Extra.ADD_SPECIAL);
      Windows windows =
          stride > 0
              ? Windows.strided(tokens, length, stride, chunks)
              : Windows.halves(tokens, length, chunks, begin(tokenizer));
      score(windows);
    }
    return ExitCode.OK;
  }

  private void score(Windows windows) {
    Optional<OutputFile> saved = Optional.ofNullable(logits).map(OutputFile::create);
    Likelihood likelihood = new Likelihood();
    try (Rig rig = open(windows)) {
      saved.ifPresent(out -> out.write(SavedLogits.encodeHead(windows, rig.engine().vocabulary())));
      Scorer scorer =
          new Scorer() {
            @Override
            public void score(MemorySegment[] rows, int[] next) {
              likelihood.add(rows, next);
              saved.ifPresent(out -> save(rows, out));
            }

            @Override
            public void windowDone(int window) {
              running(window, "[%d]%.4f,".formatted(window + 1, likelihood.perplexity().mean()));
            }
          };
      evaluate(rig, windows, scorer);
      saved.ifPresent(OutputFile::finish);
      console.err().println();
      Summary.members(console, rig.engine());
    } finally {
      saved.ifPresent(OutputFile::close);
    }
    Estimate perplexity = likelihood.perplexity();
    console
        .out()
        .printf(
            Locale.ROOT,
            "Final estimate: PPL = %.4f +/- %.5f%n",
            perplexity.mean(),
            perplexity.error());
  }

  private static void save(MemorySegment[] rows, OutputFile out) {
    byte[][] encoded = new byte[rows.length][];
    IntStream.range(0, rows.length)
        .parallel()
        .forEach(i -> encoded[i] = SavedLogits.encode(rows[i]));
    for (byte[] row : encoded) {
      out.write(row);
    }
  }

  private ExitCode compare(Path base) {
    int vocabulary;
    int begin;
    try (Model model = Model.open(file)) {
      vocabulary = model.parameters().vocabulary();
      begin = begin(tokenizer(model));
    }
    try (SavedLogits saved = SavedLogits.open(base, vocabulary, begin);
        Rig rig = open(saved.windows())) {
      Divergence found = new Divergence(saved);
      Scorer scorer =
          new Scorer() {
            @Override
            public void score(MemorySegment[] rows, int[] next) {
              found.add(rows, next);
            }

            @Override
            public void windowDone(int window) {
              running(
                  window,
                  "[%d]%.4f KLD %.6f,"
                      .formatted(window + 1, found.perplexity().mean(), found.divergence().mean()));
            }
          };
      evaluate(rig, saved.windows(), scorer);
      console.err().println();
      Summary.members(console, rig.engine());
      new DivergenceText(console.out()).print(found);
    }
    return ExitCode.OK;
  }

  private void running(int window, String estimate) {
    console.err().print(estimate);
    console.err().flush();
    if (window % 8 == 7) {
      console.err().println();
    }
  }

  private Rig open(Windows windows) {
    int together = Evaluation.together(windows.length(), options.microBatch());
    EngineOptions engine =
        EngineOptions.defaults().withContext(windows.length() * together).withSequences(together);
    return options.even(console, file, threads.threads(), engine);
  }

  private void evaluate(Rig rig, Windows windows, Scorer scorer) {
    console.say(
        "%d windows of %d tokens, %d scored in each",
        windows.count(), windows.length(), windows.scored());
    Engine engine = rig.engine();
    new Evaluation(engine, windows, Math.min(options.microBatch(), engine.context())).run(scorer);
  }

  private static Tokenizer tokenizer(Model model) {
    return model
        .tokenizer()
        .orElseThrow(
            () ->
                new ConsortException(
                    ErrorCode.UNSUPPORTED,
                    "%s holds no vocabulary, so it can't read text"
                        .formatted(model.file().path())));
  }

  /** The token that the tokenizer puts before every text, or -1. */
  private static int begin(Tokenizer tokenizer) {
    int[] empty = tokenizer.encode("", Tokenizer.Extra.ADD_SPECIAL);
    int begin = tokenizer.begin().orElse(-1);
    return empty.length > 0 && empty[0] == begin ? begin : -1;
  }

  /** A text without its last line's end. */
  private static String read(Path path) {
    try {
      String content = Files.readString(path);
      return content.endsWith("\n") ? content.substring(0, content.length() - 1) : content;
    } catch (NoSuchFileException e) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, path + ": no such file, expected a text; check the path", e);
    } catch (CharacterCodingException e) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE, path + ": the text is not UTF-8; convert it", e);
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO, "%s: can't be read (%s); check its rights".formatted(path, e), e);
    }
  }

  private static Path required(@Nullable Path given, String found, String option) {
    if (given == null) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "%s; name a file with %s".formatted(found, option));
    }
    return given;
  }
}
