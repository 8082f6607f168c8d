// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Request;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Fills a matrix. Every plugin is asked for its devices in a JVM of its own, and every group (a
 * target in a section) is filled in one; a cell that kills or hangs its JVM is red, and a fresh JVM
 * goes on behind it.
 */
public final class MatrixRun {
  private final MatrixOptions options;
  private final MatrixListener listener;

  private MatrixRun(MatrixOptions options, MatrixListener listener) {
    this.options = options;
    this.listener = new OneAtATime(listener);
  }

  /**
   * Blocks until the matrix is filled; when the thread is interrupted all forked JVMs are stopped.
   *
   * @throws ConsortException NOT_FOUND, INVALID_ARGUMENT for targets that can't be meant; IO
   */
  public static Matrix fill(MatrixOptions options, MatrixListener listener) {
    return new MatrixRun(options, listener).run();
  }

  private Matrix run() {
    ExecutorService jobs =
        Executors.newFixedThreadPool(
            Math.max(1, options.jobs()),
            Thread.ofPlatform().daemon().name("consort-fork-", 0).factory());
    try {
      Probing probing = Probing.of(options, jobs);
      listener.probed(probing.plugins());
      List<Target> targets = new Targets(probing.devices()).of(options.choice());
      if (targets.isEmpty()) {
        throw new ConsortException(
            ErrorCode.NOT_FOUND, "no plugin found a device; consort plugins says why");
      }
      List<Section> sections = options.sections().stream().sorted().toList();
      listener.planned(targets, sections);
      KeptGroups kept = new KeptGroups(options.jvm(), probing);
      List<Callable<Group>> tasks = new ArrayList<>();
      for (Target target : targets) {
        for (Section section : sections) {
          Request request = request(probing, section, target);
          tasks.add(() -> group(kept, request));
        }
      }
      return new Matrix(
          Instant.now().truncatedTo(ChronoUnit.SECONDS),
          Matrix.Machine.here(),
          options.depth(),
          options.choice() instanceof TargetChoice.Standard
              ? Matrix.Coverage.STANDARD
              : Matrix.Coverage.NAMED,
          probing.plugins(),
          probing.devices(),
          targets,
          Jobs.all(jobs, tasks));
    } finally {
      jobs.shutdownNow();
    }
  }

  private Request request(Probing probing, Section section, Target target) {
    List<String> origins =
        probing.devices().stream()
            .filter(device -> target.members().contains(device.info().id()))
            .map(Probe::origin)
            .distinct()
            .toList();
    return Probing.request(options, origins)
        .with(new Request.Job(section, options.depth(), target, options.models(), 0));
  }

  private Group group(KeptGroups kept, Request request) {
    Request.Job job = request.job().orElseThrow();
    Optional<String> key = kept.key(request);
    Optional<List<Cell>> earlier =
        options.kept() == MatrixOptions.Kept.TAKE
            ? key.flatMap(of -> kept.find(of, job))
            : Optional.empty();
    long start = System.nanoTime();
    List<Cell> cells = earlier.orElseGet(() -> new GroupRun(options, request, listener).run());
    if (earlier.isEmpty()) {
      key.ifPresent(of -> kept.keep(of, cells));
    }
    Group group =
        new Group(
            job.section(),
            job.target().name(),
            cells.stream().map(options.expected()::judge).toList(),
            Duration.ofNanos(System.nanoTime() - start),
            earlier.isEmpty() ? Group.Source.RUN : Group.Source.KEPT);
    listener.group(group);
    return group;
  }

  /** Passes on one call at a time. */
  private record OneAtATime(MatrixListener to) implements MatrixListener {
    @Override
    public synchronized void probed(List<MatrixPlugin> plugins) {
      to.probed(plugins);
    }

    @Override
    public synchronized void planned(List<Target> targets, List<Section> sections) {
      to.planned(targets, sections);
    }

    @Override
    public synchronized void rows(int count) {
      to.rows(count);
    }

    @Override
    public synchronized void cell(Cell cell) {
      to.cell(cell);
    }

    @Override
    public synchronized void group(Group group) {
      to.group(group);
    }
  }
}
