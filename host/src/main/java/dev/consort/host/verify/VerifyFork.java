// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.Death;
import dev.consort.host.verify.fork.Line;
import dev.consort.host.verify.fork.VerifyMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One forked JVM, from its start to its end. */
final class VerifyFork implements AutoCloseable {
  private static final int GRACE_SECONDS = 10;

  private final Process process;
  private final Path folder;
  private final String mark;
  private final BlockingQueue<Optional<Line>> lines = new LinkedBlockingQueue<>();

  private VerifyFork(Process process, Path folder, String mark) {
    this.process = process;
    this.folder = folder;
    this.mark = mark;
    Thread.ofVirtual().start(this::listen);
  }

  /**
   * Starts a JVM.
   *
   * @param section of the kit, or an empty string to list what the plugin has
   * @param after the operation case to begin behind, or an empty string
   */
  static VerifyFork start(VerifyRequest request, String section, String after) {
    try {
      Path folder = Files.createTempDirectory("consort-verify");
      String mark = UUID.randomUUID().toString();
      List<String> command =
          new ArrayList<>(request.jvm().command(VerifyMain.class, folder, request.jvm().kit()));
      command.addAll(
          List.of(
              mark,
              request.jar().toAbsolutePath().toString(),
              request.sha256(),
              String.valueOf(request.device()),
              section,
              after));
      request.settings().forEach((key, value) -> command.add(key + "=" + value));
      Process process =
          new ProcessBuilder(command).redirectError(folder.resolve("stderr").toFile()).start();
      return new VerifyFork(process, folder, mark);
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO, "%s can't be started: %s".formatted(request.jvm().java(), e), e);
    }
  }

  private void listen() {
    try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        Line.decode(mark, line).ifPresent(heard -> lines.add(Optional.of(heard)));
      }
    } catch (IOException e) {
      // As at its end.
    }
    lines.add(Optional.empty());
  }

  /** What it says next, or nothing when it is over. */
  Optional<Line> next(Duration silence) {
    try {
      Optional<Line> next = lines.poll(silence.toNanos(), TimeUnit.NANOSECONDS);
      return next == null ? Optional.empty() : next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConsortException(ErrorCode.TIMEOUT, "the verification was interrupted", e);
    }
  }

  /** How it ended, in words; ends it if it goes on. */
  String death(Duration silence) {
    try {
      if (!process.waitFor(1, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
        return "the JVM said nothing for %d s and was ended".formatted(silence.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Death.words(process.exitValue(), folder);
  }

  @Override
  public void close() {
    try {
      process.destroyForcibly().waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // It lies in the system's folder for temporary files.
    }
  }
}
