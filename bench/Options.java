// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the command line asked for.
 *
 * @param shared arguments that both sides get
 * @param minPrompt the least ratio that passes for reading prompts
 * @param minGeneration the least ratio that passes for generating tokens
 */
record Options(
    Path consort,
    Path peer,
    List<Path> models,
    List<String> shared,
    List<String> consortOnly,
    List<String> peerOnly,
    int rounds,
    int timeoutSeconds,
    Optional<Double> minPrompt,
    Optional<Double> minGeneration,
    Table.Format format) {

  static final String HELP =
      """
      usage: bench/compare --peer PATH -m FILE [-m FILE ...] [options]
        --peer PATH          the other program, for example a llama-bench that you built
        --consort PATH       the launcher to measure (default: the one of this checkout)
        -m, --model FILE     a GGUF; may be given several times
        -p, --n-prompt N     prompt tokens (128); 0: no such test
        -n, --n-gen N        generated tokens (32); 0: no such test
        -d, --n-depth N      tokens in the cache before a test (each side's default)
        -t, --threads N      threads (each side's default)
        -r, --repetitions N  repetitions inside one run (1)
        --rounds N           rounds (5)
        --peer-args WORDS    more arguments for the peer only, separated by blanks
        --consort-args WORDS more arguments for consort only
        --min-pp RATIO       fail when a prompt ratio is below this
        --min-tg RATIO       fail when a generation ratio is below this
        --timeout SECONDS    the longest time that one run may take (600)
        -o, --output FORMAT  md or csv (md)
      exit code: 0 done, 1 a ratio is below its bar, 2 wrong arguments, 3 a side failed
      """;

  private static final Map<String, String> SHORT =
      Map.of(
          "-m", "--model",
          "-p", "--n-prompt",
          "-n", "--n-gen",
          "-d", "--n-depth",
          "-t", "--threads",
          "-r", "--repetitions",
          "-o", "--output");

  private static final Set<String> LONG =
      Set.of(
          "--peer",
          "--consort",
          "--rounds",
          "--peer-args",
          "--consort-args",
          "--min-pp",
          "--min-tg",
          "--timeout");

  static Options parse(String[] args) {
    Map<String, String> values = new LinkedHashMap<>();
    List<Path> models = new ArrayList<>();
    for (int i = 0; i < args.length; i += 2) {
      String name = SHORT.getOrDefault(args[i], args[i]);
      if (!LONG.contains(name) && !SHORT.containsValue(name)) {
        throw Failure.usage("unknown option " + args[i] + "\n" + HELP);
      }
      if (i + 1 == args.length) {
        throw Failure.usage(args[i] + " needs a value\n" + HELP);
      }
      if (name.equals("--model")) {
        models.add(readable(Path.of(args[i + 1])));
      } else {
        values.put(name, args[i + 1]);
      }
    }
    if (models.isEmpty()) {
      throw Failure.usage("no model: give at least one -m FILE\n" + HELP);
    }
    return new Options(
        program(values, "--consort"),
        program(values, "--peer"),
        List.copyOf(models),
        shared(values),
        words(values, "--consort-args"),
        words(values, "--peer-args"),
        count(values, "--rounds", 5, 1),
        count(values, "--timeout", 600, 1),
        ratio(values, "--min-pp"),
        ratio(values, "--min-tg"),
        Table.Format.named(values.getOrDefault("--output", "md")));
  }

  private static List<String> shared(Map<String, String> values) {
    int prompt = count(values, "--n-prompt", 128, 0);
    int generated = count(values, "--n-gen", 32, 0);
    if (prompt + generated == 0) {
      throw Failure.usage("nothing to measure: --n-prompt and --n-gen are both 0");
    }
    List<String> shared = new ArrayList<>();
    shared.addAll(List.of("-p", "" + prompt, "-n", "" + generated));
    shared.addAll(List.of("-r", "" + count(values, "--repetitions", 1, 1)));
    if (values.containsKey("--n-depth")) {
      shared.addAll(List.of("-d", "" + count(values, "--n-depth", 0, 0)));
    }
    if (values.containsKey("--threads")) {
      shared.addAll(List.of("-t", "" + count(values, "--threads", 1, 1)));
    }
    return List.copyOf(shared);
  }

  private static Path readable(Path model) {
    if (!Files.isRegularFile(model) || !Files.isReadable(model)) {
      throw Failure.usage("cannot read the model " + model);
    }
    return model;
  }

  private static Path program(Map<String, String> values, String name) {
    if (!values.containsKey(name)) {
      throw Failure.usage(name + " is missing\n" + HELP);
    }
    Path program = Path.of(values.get(name)).toAbsolutePath().normalize();
    if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
      throw Failure.usage(name + ": " + program + " is not a program that can be run");
    }
    return program;
  }

  private static int count(Map<String, String> values, String name, int fallback, int least) {
    String value = values.getOrDefault(name, "" + fallback);
    if (!value.matches("\\d{1,7}") || Integer.parseInt(value) < least) {
      throw Failure.usage(
          name + " is '" + value + "', expected a whole number, at least " + least);
    }
    return Integer.parseInt(value);
  }

  private static Optional<Double> ratio(Map<String, String> values, String name) {
    String value = values.get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.matches("\\d+(\\.\\d+)?")) {
      throw Failure.usage(name + " is '" + value + "', expected a number such as 0.8");
    }
    return Optional.of(Double.valueOf(value));
  }

  private static List<String> words(Map<String, String> values, String name) {
    String value = values.getOrDefault(name, "").strip();
    return value.isEmpty() ? List.of() : List.of(value.split("\\s+"));
  }
}
