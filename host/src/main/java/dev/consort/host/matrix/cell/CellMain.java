// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.host.ConsortOptions;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.host.plugin.ClassPathSource;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.PluginSource;
import dev.consort.host.plugin.PluginStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The program of a forked JVM: reads a {@link Request}, fills its cells one after the other, and
 * says each step before it is taken. Ends when its standard input does, so that none is left alone.
 */
public final class CellMain {
  private CellMain() {}

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Request request = Request.decode(in.readLine());
    Thread.ofPlatform().daemon().name("consort-parent").start(() -> endWith(in));
    Talk talk = new Talk(out, request.mark());
    try {
      talk.say(run(request, talk));
    } catch (Throwable e) {
      e.printStackTrace();
      Outcome outcome = Outcome.of(e);
      talk.say(Message.Kind.GIVEN_UP, outcome.state().name(), outcome.detail());
    }
    System.exit(0);
  }

  private static void endWith(BufferedReader in) {
    try {
      while (in.read() >= 0) {
        // Nothing more is expected.
      }
    } catch (IOException e) {
      // The other side is gone.
    }
    Runtime.getRuntime().halt(1);
  }

  private static Message.Kind run(Request request, Talk talk) {
    if (request.job().isEmpty()) {
      try (Consort consort = open(request)) {
        Probe.run(consort, talk);
      }
      return Message.Kind.ENDED;
    }
    Request.Job job = request.job().get();
    SectionCells cells = SectionCells.of(job);
    List<String> rows = cells.rows();
    talk.say(Message.Kind.ROWS, rows);
    try (Consort consort = open(request);
        cells) {
      return fill(cells, rows, job, device(consort, job.target()), talk);
    }
  }

  private static Message.Kind fill(
      SectionCells cells, List<String> rows, Request.Job job, MetaDevice device, Talk talk) {
    for (int i = job.done(); i < rows.size(); i++) {
      String number = String.valueOf(i);
      talk.say(Message.Kind.STARTED, number);
      long start = System.nanoTime();
      Outcome outcome;
      try {
        outcome = cells.run(rows.get(i), device, at -> talk.say(Message.Kind.AT, at));
      } catch (Throwable e) {
        outcome = Outcome.of(e);
      }
      talk.say(
          Message.Kind.DONE,
          number,
          outcome.state().name(),
          outcome.detail(),
          String.valueOf(System.nanoTime() - start));
      if (outcome.after() == Outcome.After.FRESH_JVM && i + 1 < rows.size()) {
        return Message.Kind.AGAIN;
      }
    }
    return Message.Kind.ENDED;
  }

  private static Consort open(Request request) {
    List<PluginSource> sources = new ArrayList<>();
    sources.add(only(new ClassPathSource(CellMain.class.getClassLoader()), request.origins()));
    request
        .plugins()
        .ifPresent(folder -> sources.add(only(new FolderSource(folder), request.origins())));
    ConsortOptions options = ConsortOptions.defaults();
    return Consort.open(new ConsortOptions(sources, request.settings(), options.startLimit()));
  }

  private static PluginSource only(PluginSource source, List<String> origins) {
    return () ->
        source.find().stream().filter(plugin -> origins.contains(plugin.origin())).toList();
  }

  private static MetaDevice device(Consort consort, Target target) {
    List<Device> members = target.members().stream().map(id -> member(consort, id)).toList();
    double[] shares = target.shares().stream().mapToDouble(Double::doubleValue).toArray();
    return new MetaDevice(members, shares, Split.TENSOR, WirePolicy.EXACT);
  }

  private static Device member(Consort consort, String id) {
    Optional<Device> found =
        consort.devices().stream().filter(device -> device.info().id().equals(id)).findFirst();
    return found.orElseThrow(
        () ->
            new ConsortException(
                ErrorCode.NOT_FOUND,
                "%s was listed before and is gone now%s"
                    .formatted(
                        id,
                        consort.plugins().stream()
                            .map(PluginStatus::reason)
                            .filter(reason -> !reason.isEmpty())
                            .findFirst()
                            .map(reason -> ": " + reason)
                            .orElse("; run it again"))));
  }
}
