// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.verify.fork.Line;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs the kit on a plugin's JAR. The plugin is only ever loaded in forked JVMs, one for each
 * section; one that dies is a red result, and where it died in an operation a fresh one goes on
 * behind that.
 */
public final class Verification {
  private static final String OPERATIONS = "Operations";
  private static final int MOST_CRASHES = 20;

  private final VerifyRequest request;
  private final VerifyListener listener;
  private final List<VerifyResult> results = new ArrayList<>();
  private final List<String> devices = new ArrayList<>();
  private String plugin = "";
  private String device = "";
  private int size;

  private Verification(VerifyRequest request, VerifyListener listener) {
    this.request = request;
    this.listener = listener;
  }

  /**
   * Runs all sections; blocks.
   *
   * @throws ConsortException PLUGIN_FAILED if the JAR can't be loaded, UNSUPPORTED if it finds no
   *     device here, INVALID_ARGUMENT for a section or device that there is not
   */
  public static VerifyReport run(VerifyRequest request, VerifyListener listener) {
    Verification verification = new Verification(request, listener);
    List<String> sections = verification.list();
    listener.planned(verification.plugin, verification.device, verification.size);
    for (String section : sections) {
      verification.section(section);
    }
    return new VerifyReport(
        verification.plugin, verification.device, verification.devices, verification.results);
  }

  /** Asks the plugin what it has, in a JVM of its own, and returns the sections to run. */
  private List<String> list() {
    List<String> sections = List.of();
    try (VerifyFork fork = VerifyFork.start(request, "", "")) {
      for (Line line = next(fork); line.kind() != Line.Kind.ENDED; line = next(fork)) {
        List<String> fields = line.fields();
        switch (line.kind()) {
          case PLUGIN -> {
            plugin = fields.get(0) + " " + fields.get(1);
            size = Integer.parseInt(fields.get(2));
          }
          case DEVICE -> {
            if (devices.size() == request.device()) {
              device = fields.get(0) + " " + fields.get(1);
            }
            devices.add(fields.get(0));
          }
          case UNAVAILABLE ->
              throw new ConsortException(
                  ErrorCode.UNSUPPORTED,
                  "%s finds no device here, so nothing can be tested: %s"
                      .formatted(plugin, fields.getFirst()));
          case SECTIONS -> sections = fields;
          default -> throw new ConsortException(ErrorCode.INTERNAL, "unexpected " + line);
        }
      }
    }
    if (device.isEmpty()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found device %d, expected one of %s".formatted(request.device(), devices));
    }
    return chosen(sections);
  }

  private List<String> chosen(List<String> sections) {
    for (String asked : request.sections()) {
      if (!sections.contains(asked)) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "found section \"%s\", expected some of %s".formatted(asked, sections));
      }
    }
    return request.sections().isEmpty() ? sections : request.sections();
  }

  private Line next(VerifyFork fork) {
    Line line =
        fork.next(request.silence())
            .orElseThrow(
                () ->
                    new ConsortException(
                        ErrorCode.PLUGIN_FAILED,
                        "%s could not be started: %s"
                            .formatted(request.jar(), fork.death(request.silence()))));
    if (line.kind() == Line.Kind.GIVEN_UP) {
      throw new ConsortException(
          ErrorCode.valueOf(line.fields().get(0)),
          "%s: %s".formatted(request.jar(), line.fields().get(1)));
    }
    return line;
  }

  private void section(String section) {
    Optional<String> crashed = Optional.of("");
    for (int turn = 0; crashed.isPresent() && turn < MOST_CRASHES; turn++) {
      crashed = part(section, crashed.get());
    }
  }

  /** Runs a section in one JVM; the operation case that ended it, if one did. */
  private Optional<String> part(String section, String after) {
    String running = "";
    try (VerifyFork fork = VerifyFork.start(request, section, after)) {
      while (true) {
        Optional<Line> said = fork.next(request.silence());
        if (said.isEmpty()) {
          String at = running.isEmpty() ? "between tests" : running;
          result(
              new VerifyResult(
                  section, at, VerifyState.CRASHED, fork.death(request.silence()), Duration.ZERO));
          return Optional.of(running).filter(test -> section.equals(OPERATIONS) && !test.isEmpty());
        }
        List<String> fields = said.get().fields();
        switch (said.get().kind()) {
          case STARTED -> {
            running = fields.getFirst();
            listener.started(section, running);
          }
          case FINISHED -> {
            running = "";
            result(
                new VerifyResult(
                    section,
                    fields.get(0),
                    VerifyState.valueOf(fields.get(1)),
                    fields.get(2),
                    Duration.ofNanos(Long.parseLong(fields.get(3)))));
          }
          case GIVEN_UP -> {
            result(
                new VerifyResult(
                    section, "preparing", VerifyState.FAILED, fields.get(1), Duration.ZERO));
            return Optional.empty();
          }
          case ENDED -> {
            return Optional.empty();
          }
          default -> throw new ConsortException(ErrorCode.INTERNAL, "unexpected " + said.get());
        }
      }
    }
  }

  private void result(VerifyResult result) {
    results.add(result);
    listener.finished(result);
  }
}
