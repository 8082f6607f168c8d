// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Which way a sum goes, by the bytes of a term on the wire. Written as {@code
 * one-shot-packets:262144,two-shot-flags}: up to so many bytes, and the rest.
 */
record Ways(List<Range> ranges) {
  /** Sums of up to so many bytes. */
  record Range(Way way, long upTo) {}

  Ways {
    ranges = List.copyOf(ranges);
  }

  /** What is taken where nothing was measured. */
  static Ways usual(int members) {
    List<Range> ranges = new ArrayList<>();
    ranges.add(new Range(Way.ONE_SHOT_PACKETS, (512 << 10) / Math.max(1, members - 1)));
    if (members > 2) {
      ranges.add(new Range(Way.TWO_SHOT_PACKETS, 1 << 20));
    }
    ranges.add(new Range(members > 2 ? Way.TWO_SHOT_FLAGS : Way.ONE_SHOT_FLAGS, Long.MAX_VALUE));
    return new Ways(ranges);
  }

  /** The way for a size. */
  Way of(long bytes) {
    for (Range range : ranges) {
      if (bytes <= range.upTo) {
        return range.way;
      }
    }
    return ranges.getLast().way;
  }

  /**
   * @throws IllegalArgumentException if the text is something else
   */
  static Ways parse(String text) {
    List<Range> ranges = new ArrayList<>();
    long last = 0;
    for (String part : text.split(",", -1)) {
      int colon = part.indexOf(':');
      String name = colon < 0 ? part : part.substring(0, colon);
      Way way = Way.valueOf(name.strip().replace('-', '_').toUpperCase(Locale.ROOT));
      long upTo = colon < 0 ? Long.MAX_VALUE : Long.parseLong(part.substring(colon + 1).strip());
      if (upTo <= last) {
        throw new IllegalArgumentException(part);
      }
      last = upTo;
      ranges.add(new Range(way, upTo));
    }
    return new Ways(ranges);
  }

  @Override
  public String toString() {
    return ranges.stream()
        .map(r -> r.way.label() + (r.upTo == Long.MAX_VALUE ? "" : ":" + r.upTo))
        .collect(Collectors.joining(","));
  }
}
