// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineReport;
import dev.consort.host.run.MemberReport;
import java.util.Locale;

/** Tells people how a model lies on its devices. */
final class Summary {
  private Summary() {}

  static void members(Console console, Engine engine) {
    EngineReport report = engine.report();
    Table table = new Table("member", "device", "name", "weights", "mirrored", "cache");
    int number = 0;
    for (MemberReport member : report.members()) {
      table.add(
          number++,
          member.id(),
          member.name(),
          bytes(member.weightBytes()),
          bytes(member.mirroredBytes()),
          bytes(member.cacheBytes()));
    }
    TableFormat.TEXT.write(table, console.err());
    console.say(
        "split %s, %d reduces per token, sums travel as %s, context %d",
        report.split().name().toLowerCase(Locale.ROOT),
        report.reducesPerToken(),
        report.wire(),
        report.context());
    report.notes().forEach(note -> console.say("note: %s", note));
  }

  static String bytes(long count) {
    return count < 10_000
        ? count + " B"
        : count < 10L << 20
            ? String.format(Locale.ROOT, "%.1f KiB", count / 1024.0)
            : String.format(Locale.ROOT, "%.1f MiB", count / 1048576.0);
  }
}
