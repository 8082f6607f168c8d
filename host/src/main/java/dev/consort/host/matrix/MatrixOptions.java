// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Depth;
import dev.consort.host.matrix.cell.Section;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a matrix is made of.
 *
 * @param plugins folder of plugin JARs beside those of the class path
 * @param settings for plugins, by {@code plugin.key}
 * @param choice the columns
 * @param sections the parts
 * @param depth how much is tried for a cell
 * @param models GGUF files; the built-in model where there are none
 * @param expected failures that are known
 * @param kept whether results of earlier runs are taken
 * @param jobs how many JVMs run at once
 * @param limit how long a cell may take before its JVM is stopped
 * @param jvm how JVMs are forked
 */
public record MatrixOptions(
    Optional<Path> plugins,
    Map<String, String> settings,
    TargetChoice choice,
    Set<Section> sections,
    Depth depth,
    List<Path> models,
    ExpectedFailures expected,
    Kept kept,
    int jobs,
    Duration limit,
    ForkedJvm jvm) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** What is done with results of earlier runs that nothing has changed since. */
  public enum Kept {
    TAKE,
    IGNORE
  }

  public MatrixOptions {
    settings = Map.copyOf(settings);
    models = List.copyOf(models);
    sections = sections.isEmpty() ? EnumSet.noneOf(Section.class) : EnumSet.copyOf(sections);
  }

  /** All sections for all devices and the standard mixes, in quick depth. */
  public static MatrixOptions defaults() {
    return new MatrixOptions(
        Optional.empty(),
        Map.of(),
        TargetChoice.standard(),
        EnumSet.allOf(Section.class),
        Depth.QUICK,
        List.of(),
        ExpectedFailures.none(),
        Kept.TAKE,
        Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 4),
        LIMIT,
        ForkedJvm.likeThisOne());
  }

  public MatrixOptions withPlugins(Path folder) {
    return new MatrixOptions(
        Optional.of(folder),
        settings,
        choice,
        sections,
        depth,
        models,
        expected,
        kept,
        jobs,
        limit,
        jvm);
  }

  public MatrixOptions withSettings(Map<String, String> forPlugins) {
    return new MatrixOptions(
        plugins, forPlugins, choice, sections, depth, models, expected, kept, jobs, limit, jvm);
  }

  public MatrixOptions withTargets(TargetChoice targets) {
    return new MatrixOptions(
        plugins, settings, targets, sections, depth, models, expected, kept, jobs, limit, jvm);
  }

  public MatrixOptions withSections(Set<Section> only) {
    return new MatrixOptions(
        plugins, settings, choice, only, depth, models, expected, kept, jobs, limit, jvm);
  }

  public MatrixOptions withDepth(Depth other) {
    return new MatrixOptions(
        plugins, settings, choice, sections, other, models, expected, kept, jobs, limit, jvm);
  }

  public MatrixOptions withModels(List<Path> files) {
    return new MatrixOptions(
        plugins, settings, choice, sections, depth, files, expected, kept, jobs, limit, jvm);
  }

  public MatrixOptions withExpected(ExpectedFailures failures) {
    return new MatrixOptions(
        plugins, settings, choice, sections, depth, models, failures, kept, jobs, limit, jvm);
  }

  public MatrixOptions withKept(Kept results) {
    return new MatrixOptions(
        plugins, settings, choice, sections, depth, models, expected, results, jobs, limit, jvm);
  }

  public MatrixOptions withJobs(int atOnce) {
    return new MatrixOptions(
        plugins, settings, choice, sections, depth, models, expected, kept, atOnce, limit, jvm);
  }

  public MatrixOptions withLimit(Duration ofCell) {
    return new MatrixOptions(
        plugins, settings, choice, sections, depth, models, expected, kept, jobs, ofCell, jvm);
  }
}
