// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Fields;
import dev.consort.host.matrix.cell.Request;
import dev.consort.host.plugin.UserDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Groups of earlier runs, by all that their cells follow from: the plugins' JARs, the devices with
 * their drivers, host, kit and JDK, and what was asked. Only whole groups without a red cell are
 * kept, so that what went wrong is always tried again; plugins of the class path have no JAR that
 * could be told from another, and their groups are not kept.
 */
final class KeptGroups {
  private static final String FORMAT = "1";

  private final Path folder = UserDirectories.privateDirectory("matrix/groups");
  private final String host;
  private final Probing probing;

  KeptGroups(ForkedJvm jvm, Probing probing) {
    this.probing = probing;
    List<String> files = new ArrayList<>(List.of(FORMAT, System.getProperty("java.vm.version")));
    Stream.concat(jvm.classPath().stream(), jvm.kit().stream()).forEach(path -> stamp(path, files));
    files.addAll(jvm.flags());
    this.host = Sha256.of(Fields.join(files));
  }

  /** A file's place, size and time, of a folder those of all files in it. */
  private static void stamp(Path path, List<String> to) {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted().toList()) {
        BasicFileAttributes known = Files.readAttributes(file, BasicFileAttributes.class);
        if (known.isRegularFile()) {
          to.add("%s %d %s".formatted(file, known.size(), known.lastModifiedTime()));
        }
      }
    } catch (IOException e) {
      to.add(path + " is not there");
    }
  }

  /** The key of a job; nothing if it can't be kept. */
  Optional<String> key(Request request) {
    Request.Job job = request.job().orElseThrow();
    List<String> parts = new ArrayList<>(List.of(host, job.section().name(), job.depth().name()));
    parts.add(job.target().toString());
    parts.add(new TreeMap<>(request.settings()).toString());
    job.models()
        .forEach(
            model -> {
              stamp(model, parts);
              stamp(
                  model.resolveSibling(
                      model.getFileName().toString().replaceFirst("\\.gguf$", ".logits")),
                  parts);
            });
    for (String origin : request.origins()) {
      String sha256 =
          probing.plugins().stream()
              .filter(plugin -> plugin.origin().equals(origin))
              .map(MatrixPlugin::sha256)
              .findFirst()
              .orElse("");
      if (sha256.isEmpty()) {
        return Optional.empty();
      }
      parts.add(sha256);
    }
    probing.devices().stream()
        .filter(device -> job.target().members().contains(device.info().id()))
        .forEach(device -> parts.add(device.info().toString()));
    return Optional.of(Sha256.of(Fields.join(parts)));
  }

  Optional<List<Cell>> find(String key, Request.Job job) {
    Path file = folder.resolve(key);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      List<Cell> cells = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        List<String> texts = Fields.split(line);
        cells.add(
            new Cell(
                job.section(),
                texts.get(0),
                job.target().name(),
                CellState.valueOf(texts.get(1)),
                texts.get(2),
                Duration.ofNanos(Long.parseLong(texts.get(3)))));
      }
      return Optional.of(cells);
    } catch (IOException | RuntimeException e) {
      // Damaged: as if it were not there.
      return Optional.empty();
    }
  }

  void keep(String key, List<Cell> cells) {
    boolean whole =
        cells.stream().noneMatch(cell -> cell.state().isRed() || cell.state() == CellState.NOT_RUN);
    if (!whole) {
      return;
    }
    List<String> lines =
        cells.stream()
            .map(
                cell ->
                    Fields.join(
                        List.of(
                            cell.row(),
                            cell.state().name(),
                            cell.detail(),
                            String.valueOf(cell.time().toNanos()))))
            .toList();
    try {
      Path partial = Files.createTempFile(folder, "group", ".part");
      Files.write(partial, lines);
      Files.move(partial, folder.resolve(key), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Next time it is run again.
    }
  }
}
