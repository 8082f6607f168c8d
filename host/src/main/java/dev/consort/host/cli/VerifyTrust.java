// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.PluginsLock;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether a JAR may be loaded: because a lock lists it, because the user gave its SHA-256 or said
 * yes; never in silence.
 *
 * @param given what {@code --trust} said
 * @param answer what {@code --yes} said
 */
record VerifyTrust(Console console, Optional<String> given, Answer answer) {
  /** Whether the user agreed beforehand. */
  enum Answer {
    YES,
    ASK
  }

  /**
   * Returns if the JAR is trusted.
   *
   * @throws ConsortException PLUGIN_FAILED if it is not
   */
  void require(Path jar, String sha256, Optional<Path> pluginsFolder) {
    if (given.isPresent()) {
      if (!given.get().toLowerCase(Locale.ROOT).equals(sha256)) {
        throw refused(
            "the SHA-256 of %s is %s, not the one of --trust, %s; this is another file"
                .formatted(jar, sha256, given.get()));
      }
      return;
    }
    if (answer == Answer.YES || isLocked(jar, sha256, pluginsFolder)) {
      return;
    }
    console.say("%s is listed in no %s.", jar, PluginsLock.FILE);
    console.say("SHA-256 %s", sha256);
    console.say("Its code would run with all rights that you have on this machine.");
    if (console.progress() == Console.Progress.NONE) {
      throw refused(
          "%s was not loaded; if you trust it: consort verify %s --trust %s"
              .formatted(jar, jar, sha256));
    }
    console.err().print("Load it and run the kit on it? [y/N] ");
    console.err().flush();
    if (!readLine().strip().toLowerCase(Locale.ROOT).matches("y|yes")) {
      throw refused("%s was not loaded".formatted(jar));
    }
  }

  private static boolean isLocked(Path jar, String sha256, Optional<Path> pluginsFolder) {
    Optional<Path> own = Optional.ofNullable(jar.toAbsolutePath().getParent());
    return Stream.of(own, pluginsFolder)
        .flatMap(Optional::stream)
        .flatMap(folder -> PluginsLock.find(folder).stream())
        .anyMatch(lock -> lock.find(sha256).isPresent());
  }

  private String readLine() {
    try {
      String line =
          new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8))
              .readLine();
      return line == null ? "" : line;
    } catch (IOException e) {
      return "";
    }
  }

  private static ConsortException refused(String message) {
    return new ConsortException(ErrorCode.PLUGIN_FAILED, message);
  }
}
