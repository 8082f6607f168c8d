// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One line that a forked JVM says. */
public record Message(Kind kind, List<String> texts) {
  /** What a message is about, with its texts. */
  public enum Kind {
    /** A plugin: name, version, state, reason, origin. */
    PLUGIN,
    /** A device: see {@link Probe}. */
    DEVICE,
    /** The rows of the job, all of them. */
    ROWS,
    /** A row begins: its number. */
    STARTED,
    /** What the row is at. */
    AT,
    /** A row is over: number, state, detail, nanoseconds. */
    DONE,
    /** The rest needs a fresh JVM. */
    AGAIN,
    /** The job can't be done: state and detail of the row that is next. */
    GIVEN_UP,
    /** All is done and closed. */
    ENDED
  }

  public Message {
    texts = List.copyOf(texts);
  }

  /** The line. */
  public String encode(String mark) {
    List<String> all = new ArrayList<>();
    all.add(kind.name());
    all.addAll(texts);
    return mark + Fields.join(all);
  }

  /** The message of a line, if it is one; something printed may stand before it. */
  public static Optional<Message> decode(String mark, String line) {
    int at = line.indexOf(mark);
    if (at < 0) {
      return Optional.empty();
    }
    List<String> all = Fields.split(line.substring(at + mark.length()));
    return Optional.of(new Message(Kind.valueOf(all.getFirst()), all.subList(1, all.size())));
  }

  /** A text that is a number. */
  public long number(int index) {
    return Long.parseLong(texts.get(index));
  }
}
