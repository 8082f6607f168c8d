// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.ConsortOptions;
import dev.consort.host.matrix.cell.Message;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Request;
import dev.consort.host.plugin.ClassPathSource;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.PluginCandidate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;

/**
 * What plugins there are and what devices they have, each asked in a JVM of its own: this process
 * runs no code of theirs.
 */
record Probing(List<MatrixPlugin> plugins, List<Probe> devices) {

  static Probing of(MatrixOptions options, ExecutorService jobs) {
    Set<String> origins = new LinkedHashSet<>();
    new ClassPathSource(Probing.class.getClassLoader())
        .find()
        .forEach(candidate -> origins.add(candidate.origin()));
    options
        .plugins()
        .map(folder -> new FolderSource(folder).find())
        .ifPresent(found -> found.stream().map(PluginCandidate::origin).forEach(origins::add));
    List<Probing> all =
        Jobs.all(
            jobs,
            origins.stream()
                .<java.util.concurrent.Callable<Probing>>map(origin -> () -> one(options, origin))
                .toList());
    List<MatrixPlugin> plugins = all.stream().flatMap(each -> each.plugins().stream()).toList();
    List<Probe> devices = all.stream().flatMap(each -> each.devices().stream()).toList();
    return new Probing(plugins, devices);
  }

  static Request request(MatrixOptions options, List<String> origins) {
    return new Request(
        "consort-" + UUID.randomUUID() + " ",
        options.plugins(),
        origins,
        options.settings(),
        java.util.Optional.empty());
  }

  private static Probing one(MatrixOptions options, String origin) {
    Path jar = Path.of(origin);
    String sha256 = Files.isRegularFile(jar) ? Sha256.of(jar) : "";
    List<MatrixPlugin> plugins = new ArrayList<>();
    List<Probe> devices = new ArrayList<>();
    // Starting has a limit of its own, which the plugin is told of in better words.
    var limit = ConsortOptions.defaults().startLimit().plus(options.limit());
    try (Fork fork = Fork.start(options.jvm(), request(options, List.of(origin)), List.of())) {
      while (true) {
        switch (fork.next(limit)) {
          case Fork.Heard.Said(Message message) -> {
            List<String> texts = message.texts();
            switch (message.kind()) {
              case PLUGIN ->
                  plugins.add(
                      new MatrixPlugin(
                          texts.get(0),
                          texts.get(1),
                          texts.get(2),
                          texts.get(3),
                          texts.get(4),
                          sha256));
              case DEVICE -> devices.add(Probe.decode(texts));
              case ENDED -> {
                return new Probing(plugins, devices);
              }
              default -> {
                return crashed(origin, sha256, String.join(" ", texts));
              }
            }
          }
          case Fork.Heard.Gone gone -> {
            return crashed(origin, sha256, fork.death());
          }
          case Fork.Heard.Nothing nothing -> {
            return crashed(origin, sha256, "its probe did not end and was stopped");
          }
        }
      }
    }
  }

  private static Probing crashed(String origin, String sha256, String how) {
    String name = Path.of(origin).getFileName().toString();
    return new Probing(
        List.of(new MatrixPlugin(name, "", MatrixPlugin.CRASHED, how, origin, sha256)), List.of());
  }
}
