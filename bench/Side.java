// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of the two programs.
 *
 * @param command the program and its leading words
 * @param arguments what this side gets after the shared arguments
 */
record Side(String name, List<String> command, List<String> arguments) {

  /** One test of one model; {@code depth} tokens are in the cache before it starts. */
  record Test(Path model, int prompt, int generated, int depth) {
    String label() {
      String prompted = prompt == 0 ? "" : "pp" + prompt;
      String generating = generated == 0 ? "" : "tg" + generated;
      String plus = prompt == 0 || generated == 0 ? "" : "+";
      return prompted + plus + generating + (depth == 0 ? "" : " @ d" + depth);
    }
  }

  /** Runs the program once and returns tokens a second for each test. Blocks until it has ended. */
  Map<Test, Double> run(Path model, List<String> shared, int timeoutSeconds)
      throws InterruptedException {
    List<String> words = new ArrayList<>(command);
    words.addAll(List.of("-m", model.toString(), "-o", "jsonl"));
    words.addAll(shared);
    words.addAll(arguments);
    String line = name + " (" + String.join(" ", words) + ")";
    return parse(model, line, output(words, line, timeoutSeconds));
  }

  private static String output(List<String> words, String line, int timeoutSeconds)
      throws InterruptedException {
    try {
      Path out = Files.createTempFile("compare", ".out");
      Path err = Files.createTempFile("compare", ".err");
      try {
        Process process =
            new ProcessBuilder(words)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
          throw Failure.side(
              "%s gave no result in %d s; use smaller sizes or a larger --timeout"
                  .formatted(line, timeoutSeconds));
        }
        if (process.exitValue() != 0) {
          throw Failure.side(
              "%s ended with exit code %d:%n%s"
                  .formatted(line, process.exitValue(), tail(Files.readString(err))));
        }
        return Files.readString(out);
      } finally {
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
      }
    } catch (IOException e) {
      throw Failure.side("cannot run " + line + ": " + e.getMessage());
    }
  }

  private static String tail(String text) {
    List<String> lines = text.lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
  }

  private static Map<Test, Double> parse(Path model, String line, String output) {
    Map<Test, Double> results = new LinkedHashMap<>();
    for (String json : output.lines().filter(l -> l.startsWith("{")).toList()) {
      double speed = number(json, "avg_ts", line).orElse(0.0);
      if (!(speed > 0) || Double.isInfinite(speed)) {
        throw Failure.side("no positive avg_ts in " + json + " from " + line);
      }
      Test test =
          new Test(
              model,
              number(json, "n_prompt", line).orElse(0.0).intValue(),
              number(json, "n_gen", line).orElse(0.0).intValue(),
              number(json, "n_depth", line).orElse(0.0).intValue());
      results.put(test, speed);
    }
    if (results.isEmpty()) {
      throw Failure.side(
          "expected lines of JSON with n_prompt, n_gen and avg_ts, found none in the output of "
              + line);
    }
    return results;
  }

  private static Optional<Double> number(String json, String field, String line) {
    Matcher matcher = Pattern.compile("\"" + field + "\"\\s*:\\s*([^,}\\s]+)").matcher(json);
    if (!matcher.find()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Double.valueOf(matcher.group(1)));
    } catch (NumberFormatException e) {
      throw Failure.side(
          "%s is '%s', expected a number, in the output of %s"
              .formatted(field, matcher.group(1), line));
    }
  }
}
