// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.io.PrintStream;
import java.util.List;

/** How a forked JVM speaks to the one that started it. Each message is out before this returns. */
final class Talk {
  private final PrintStream out;
  private final String mark;

  Talk(PrintStream out, String mark) {
    this.out = out;
    this.mark = mark;
  }

  void say(Message.Kind kind, String... texts) {
    say(kind, List.of(texts));
  }

  void say(Message.Kind kind, List<String> texts) {
    // A new line before, should something printed have left one open.
    out.print("\n" + new Message(kind, texts).encode(mark) + "\n");
    out.flush();
  }
}
