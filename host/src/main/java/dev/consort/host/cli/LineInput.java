// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Lines that a person types or a pipe brings. */
interface LineInput extends AutoCloseable {
  /** The next line; empty at the end. Blocks. */
  Optional<String> next();

  @Override
  void close();

  /** With editing and history on a terminal, plain lines otherwise. */
  static LineInput open(Console console) {
    return console.progress() == Console.Progress.BARS ? new Typed() : new Piped(console);
  }

  /** From a pipe. */
  final class Piped implements LineInput {
    private final BufferedReader reader;

    Piped(Console console) {
      reader = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
    }

    @Override
    public Optional<String> next() {
      try {
        return Optional.ofNullable(reader.readLine());
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void close() {}
  }

  /** From a terminal. */
  final class Typed implements LineInput {
    private final Terminal terminal;
    private final LineReader reader;

    Typed() {
      try {
        terminal = TerminalBuilder.builder().system(true).build();
      } catch (IOException e) {
        throw failed(e);
      }
      reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .build();
    }

    @Override
    public Optional<String> next() {
      try {
        return Optional.of(reader.readLine("> "));
      } catch (EndOfFileException | UserInterruptException e) {
        return Optional.empty();
      }
    }

    @Override
    public void close() {
      try {
        terminal.close();
      } catch (IOException e) {
        throw failed(e);
      }
    }
  }

  private static ConsortException failed(IOException cause) {
    return new ConsortException(ErrorCode.IO, "the input can't be read (" + cause + ")", cause);
  }
}
