// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.cell.CellMain;
import dev.consort.host.matrix.cell.Message;
import dev.consort.host.matrix.cell.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A forked JVM and what it says. It dies with this object, and with this process. */
final class Fork implements AutoCloseable {
  static final String ERROR_FILE = "error.log";
  private static final int GRACE_SECONDS = 10;

  /** Something heard, or that nothing more will be. */
  sealed interface Heard {
    record Said(Message message) implements Heard {}

    record Gone() implements Heard {}

    record Nothing() implements Heard {}
  }

  private final Process process;
  private final Path folder;
  private final OutputStream in;
  private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();

  private Fork(Process process, Path folder, String mark) {
    this.process = process;
    this.folder = folder;
    this.in = process.getOutputStream();
    Thread.ofVirtual().start(() -> listen(mark));
  }

  /**
   * Starts a JVM with a request.
   *
   * @throws ConsortException IO if it can't be started
   */
  static Fork start(ForkedJvm jvm, Request request, List<Path> more) {
    try {
      Path folder = Files.createTempDirectory("consort-matrix");
      Process process =
          new ProcessBuilder(jvm.command(CellMain.class, folder, more))
              .redirectError(folder.resolve("stderr").toFile())
              .start();
      Fork fork = new Fork(process, folder, request.mark());
      try {
        fork.in.write((request.encode() + "\n").getBytes(StandardCharsets.UTF_8));
        fork.in.flush();
      } catch (IOException e) {
        // It died at once; what it left says why.
      }
      return fork;
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO, "%s can't be started: %s".formatted(jvm.java(), e), e);
    }
  }

  private void listen(String mark) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Message.decode(mark, line).map(Heard.Said::new).ifPresent(heard::add);
      }
    } catch (IOException e) {
      // As at its end.
    }
    heard.add(new Heard.Gone());
  }

  /** What it says next; nothing if it is silent for that long. */
  Heard next(Duration limit) {
    try {
      Heard next = heard.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
      return next == null ? new Heard.Nothing() : next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConsortException(ErrorCode.TIMEOUT, "the matrix was interrupted", e);
    }
  }

  /** How it died, in words; blocks until it has. */
  String death() {
    try {
      if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        return "the JVM closed its output and did not end";
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Death.words(process.exitValue(), folder);
  }

  @Override
  public void close() {
    try {
      in.close();
      process.destroyForcibly().waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
    } catch (IOException e) {
      // It is gone already.
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
