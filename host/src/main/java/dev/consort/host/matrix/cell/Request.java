// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a forked JVM is to do; the first line of its standard input.
 *
 * @param mark begins every line that it says, so that what plugins print is told from it
 * @param plugins the plugins folder, if there is one
 * @param origins only these plugins are started; see {@code PluginCandidate.origin()}
 * @param settings for plugins, by {@code plugin.key}
 * @param job what to fill; nothing to list the devices
 */
public record Request(
    String mark,
    Optional<Path> plugins,
    List<String> origins,
    Map<String, String> settings,
    Optional<Job> job) {

  /**
   * The cells of one target in one section.
   *
   * @param models GGUF files; the built-in model where there are none
   * @param done rows that are not to be run again
   */
  public record Job(Section section, Depth depth, Target target, List<Path> models, int done) {
    /** This job from another row on. */
    public Job from(int rows) {
      return new Job(section, depth, target, models, rows);
    }
  }

  /** This request for another job. */
  public Request with(Job other) {
    return new Request(mark, plugins, origins, settings, Optional.of(other));
  }

  /** As one line. */
  public String encode() {
    List<String> pairs = new ArrayList<>();
    new TreeMap<>(settings).forEach((key, value) -> pairs.addAll(List.of(key, value)));
    return Fields.join(
        List.of(
            mark,
            plugins.map(Path::toString).orElse(""),
            Fields.join(origins),
            Fields.join(pairs),
            job.map(Request::encode).orElse("")));
  }

  private static String encode(Job job) {
    Target target = job.target();
    return Fields.join(
        List.of(
            job.section().name(),
            job.depth().name(),
            target.name(),
            Fields.join(target.members()),
            Fields.join(target.shares().stream().map(String::valueOf).toList()),
            Fields.join(job.models().stream().map(Path::toString).toList()),
            String.valueOf(job.done())));
  }

  /** From one line. */
  public static Request decode(String line) {
    List<String> texts = Fields.split(line);
    List<String> pairs = Fields.split(texts.get(3));
    Map<String, String> settings = new TreeMap<>();
    for (int i = 0; i < pairs.size(); i += 2) {
      settings.put(pairs.get(i), pairs.get(i + 1));
    }
    return new Request(
        texts.get(0),
        texts.get(1).isEmpty() ? Optional.empty() : Optional.of(Path.of(texts.get(1))),
        Fields.split(texts.get(2)),
        settings,
        texts.get(4).isEmpty() ? Optional.empty() : Optional.of(decodeJob(texts.get(4))));
  }

  private static Job decodeJob(String line) {
    List<String> texts = Fields.split(line);
    Target target =
        new Target(
            texts.get(2),
            Fields.split(texts.get(3)),
            Fields.split(texts.get(4)).stream().map(Double::valueOf).toList());
    return new Job(
        Section.valueOf(texts.get(0)),
        Depth.valueOf(texts.get(1)),
        target,
        Fields.split(texts.get(5)).stream().map(Path::of).toList(),
        Integer.parseInt(texts.get(6)));
  }
}
