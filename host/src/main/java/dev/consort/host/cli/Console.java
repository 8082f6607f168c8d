// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import java.io.InputStream;
import java.io.PrintStream;

/**
 * Where a command talks.
 *
 * @param in what is typed or piped in
 * @param out for what machines or pipes read: tables, answers
 * @param err for everything else
 * @param progress whether bars are drawn
 */
record Console(InputStream in, PrintStream out, PrintStream err, Progress progress) {
  /** Whether a person watches. */
  enum Progress {
    BARS,
    NONE
  }

  /** The process's own streams; bars only if stderr is a terminal, as far as Java can tell. */
  static Console system() {
    boolean terminal = System.console() != null && System.console().isTerminal();
    return new Console(System.in, System.out, System.err, terminal ? Progress.BARS : Progress.NONE);
  }

  void say(String format, Object... args) {
    err.println(format.formatted(args));
  }
}
