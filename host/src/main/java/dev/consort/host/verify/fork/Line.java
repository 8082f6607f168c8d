// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify.fork;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** One line that a forked JVM says, apart from whatever else is printed there. */
public record Line(Kind kind, List<String> fields) {
  /** What a line is about, with its fields. */
  public enum Kind {
    /** Name, version, and how many tests there are about. */
    PLUGIN,
    /** Id and name of a device. */
    DEVICE,
    /** Why there is no device. */
    UNAVAILABLE,
    /** The sections, in order. */
    SECTIONS,
    /** A test of the section begins. */
    STARTED,
    /** Test, verdict, reason, nanoseconds. */
    FINISHED,
    /** Error code and message: nothing can be tested. */
    GIVEN_UP,
    /** All is done and closed. */
    ENDED
  }

  public Line {
    fields = List.copyOf(fields);
  }

  static Line of(Kind kind, String... fields) {
    return new Line(kind, Arrays.asList(fields));
  }

  String encode(String mark) {
    List<String> all = new ArrayList<>(List.of(mark, kind.name()));
    fields.forEach(field -> all.add(field.replaceAll("[\\t\\r\\n]+", " ")));
    return String.join("\t", all);
  }

  /** A line with this mark; nothing for what a plugin or its libraries print. */
  public static Optional<Line> decode(String mark, String text) {
    List<String> all = Arrays.asList(text.split("\t", -1));
    return all.size() < 2 || !all.getFirst().equals(mark)
        ? Optional.empty()
        : Optional.of(new Line(Kind.valueOf(all.get(1)), all.subList(2, all.size())));
  }
}
