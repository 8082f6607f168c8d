// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why a forked JVM ended, from what it left behind. */
public final class Death {
  private static final Pattern SIGNAL =
      Pattern.compile("^#\\s+((?:SIG[A-Z]+|EXCEPTION_\\w+|Internal Error).*)$", Pattern.MULTILINE);
  private static final Pattern FRAME =
      Pattern.compile("^# Problematic frame:\\R#\\s+(.*)$", Pattern.MULTILINE);
  private static final Pattern NUMBERS = Pattern.compile(" at pc=.*| \\(0x\\p{XDigit}+\\)");

  /** Of compiled code: the compilation's number and addresses. */
  private static final Pattern FRAME_NUMBERS =
      Pattern.compile("(?<=^J) \\d+ (%|c\\d)* ?| @ 0x.*|\\s+");

  private static final Map<Integer, String> SIGNALS =
      Map.of(4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 8, "SIGFPE", 9, "SIGKILL", 11, "SIGSEGV");
  private static final int OF_SIGNALS = 128;

  private Death() {}

  /**
   * In words, from the folder that {@link ForkedJvm#command} was given, with the JVM's stderr in a
   * file of that name.
   */
  public static String words(int exit, Path folder) {
    return words(exit, read(folder.resolve(Fork.ERROR_FILE)), read(folder.resolve("stderr")));
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * In words, the same for the same cause.
   *
   * @param report the JVM's own error file
   * @param stderr what it said last
   */
  static String words(int exit, Optional<String> report, Optional<String> stderr) {
    String signal = report.flatMap(text -> first(SIGNAL, text)).orElse("");
    if (!signal.isEmpty()) {
      String frame = report.flatMap(text -> first(FRAME, text)).orElse("");
      return "the JVM died: %s%s"
          .formatted(
              NUMBERS.matcher(signal).replaceAll(""),
              frame.isEmpty() ? "" : " in " + FRAME_NUMBERS.matcher(frame).replaceAll(" ").strip());
    }
    String ended =
        exit > OF_SIGNALS
            ? "was killed by " + SIGNALS.getOrDefault(exit - OF_SIGNALS, "signal " + (exit - 128))
            : "ended with exit code " + exit;
    String last =
        stderr.stream()
            .flatMap(String::lines)
            .filter(line -> !line.isBlank())
            .reduce("", (a, b) -> b.strip());
    return "the JVM " + ended + (last.isEmpty() ? "" : "; its last words: " + last);
  }

  private static Optional<String> first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1).strip()) : Optional.empty();
  }
}
