// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.demo.DemoModel;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.sampling.SamplerChain;
import dev.consort.model.tokenizer.TokenDecoder;
import dev.consort.model.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a prompt. */
@Command(
    name = "run",
    description = "Continue a prompt; without -m with a small built-in model that can calculate.",
    sortOptions = false)
final class RunCommand implements Callable<ExitCode> {
  private static final String DEMO_DEVICES = "cpu:0*2";

  private final Console console;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description = "The model (default: the built-in one).")
  private @Nullable Path file;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description =
          "The prompt; \\n stands for a new line (default: a question for the demo model).")
  private @Nullable String prompt;

  @Option(
      names = {"-n", "--predict", "--n-predict"},
      paramLabel = "N",
      defaultValue = "128",
      description =
          "The most tokens to generate; -1 for all the context (default: ${DEFAULT-VALUE}).")
  private int predict = 128;

  @Mixin private SamplingArguments sampling = new SamplingArguments();

  @Option(
      names = "--save-cache",
      paramLabel = "FILE",
      description = "Save the text with its cache when it ends, for --load-cache on any devices.")
  private @Nullable Path saveCache;

  @Option(
      names = "--load-cache",
      paramLabel = "FILE",
      description =
          "Start from a saved text: without -p it goes on, with -p what both have in common is not"
              + " read again.")
  private @Nullable Path loadCache;

  @Mixin private ThreadsOption threads = new ThreadsOption();

  @Mixin private ContextOption context = new ContextOption();

  @Mixin private RigOptions options = new RigOptions();

  RunCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    if (file != null && prompt == null && loadCache == null) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "a model was named but no prompt; give one with -p");
    }
    Path model = file == null ? DemoModel.file() : file;
    String text = prompt != null ? unescape(prompt) : loadCache == null ? DemoModel.PROMPT : "";
    String otherwise = file == null ? DEMO_DEVICES : RigOptions.ONE_CPU;
    EngineOptions engine = context.over(EngineOptions.defaults());
    try (Rig rig = options.measured(console, model, otherwise, threads.threads(), engine)) {
      generate(rig, text);
    }
    return ExitCode.OK;
  }

  private void generate(Rig rig, String text) {
    Engine engine = rig.engine();
    Tokenizer tokenizer =
        rig.model()
            .tokenizer()
            .orElseThrow(
                () ->
                    new ConsortException(
                        ErrorCode.UNSUPPORTED,
                        "%s holds no vocabulary, so it can't continue text; consort logits takes token"
                                .formatted(rig.model().file().path())
                            + " ids"));
    SamplerChain sampler = SamplerChain.of(sampling.options(), engine.vocabulary());
    try (Sequence sequence = start(engine)) {
      int[] ids =
          text.isEmpty() ? sequence.tokens() : tokenizer.encode(text, Tokenizer.Extra.ADD_SPECIAL);
      requireFits(ids, engine.context());
      console.err().print(text);
      console.err().flush();
      int kept = sequence.reuse(ids);
      Timing timing = new Timing(ids.length - kept);
      answer(engine, sequence, Arrays.copyOfRange(ids, kept, ids.length), sampler, timing);
      if (saveCache != null) {
        sequence.save(saveCache);
        console.say("saved %d tokens to %s", sequence.length(), saveCache);
      }
      Summary.members(console, engine);
      timing.tell(console);
    }
  }

  private Sequence start(Engine engine) {
    return loadCache == null ? engine.sequence() : engine.restore(loadCache);
  }

  private static void requireFits(int[] ids, int context) {
    if (ids.length == 0 || ids.length > context) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "the prompt has %d tokens; expected 1 to %d, the context (-c)"
              .formatted(ids.length, context));
    }
  }

  private void answer(
      Engine engine, Sequence sequence, int[] ids, SamplerChain sampler, Timing timing) {
    Tokenizer tokenizer = engine.model().tokenizer().orElseThrow();
    TokenDecoder decoder = tokenizer.decoder();
    MemorySegment logits = sequence.append(ids);
    timing.prompted();
    int room = engine.context() - sequence.length();
    int most = predict < 0 ? room : Math.min(room, predict);
    for (int n = 0; n < most; n++) {
      int token = sampler.sample(logits, 0);
      timing.sampled();
      if (tokenizer.isEnd(token)) {
        break;
      }
      console.out().print(decoder.append(token));
      console.out().flush();
      if (n + 1 < most || saveCache != null) {
        logits = sequence.append(token);
      }
    }
    console.out().println(decoder.finish());
    console.out().flush();
  }

  /** The escapes that llama-completion's users write in prompts. */
  static String unescape(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char next = i + 1 < text.length() ? text.charAt(i + 1) : 0;
      int at = "nrt\\\"'".indexOf(next);
      if (text.charAt(i) == '\\' && next != 0 && at >= 0) {
        plain.append("\n\r\t\\\"'".charAt(at));
        i++;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return plain.toString();
  }

  /** When what happened. */
  private static final class Timing {
    private final int prompt;
    private final long start = System.nanoTime();
    private long prompted;
    private long last;
    private int sampled;
    private long first;

    Timing(int prompt) {
      this.prompt = prompt;
    }

    void prompted() {
      prompted = System.nanoTime();
    }

    void sampled() {
      last = System.nanoTime();
      if (sampled++ == 0) {
        first = last;
      }
    }

    void tell(Console console) {
      double reading = (prompted - start) / 1e9;
      console.say("prompt: %d tokens, %.1f tokens/s", prompt, prompt / reading);
      if (sampled > 1) {
        console.say(
            "answer: %d tokens, %.1f tokens/s", sampled, (sampled - 1) / ((last - prompted) / 1e9));
      }
      if (sampled > 0) {
        long since = (System.nanoTime() - first) / 1_000_000;
        long uptime = ManagementFactory.getRuntimeMXBean().getUptime();
        console.say("first token %.2f s after the start of the JVM", (uptime - since) / 1e3);
      }
    }
  }
}
