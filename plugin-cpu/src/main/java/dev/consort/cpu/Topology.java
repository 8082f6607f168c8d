// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The machine's nodes: cores with memory that is nearer to them than the rest.
 *
 * @param nodes those that have cores this process may use; none where the system does not say
 */
record Topology(List<Node> nodes) {
  private static final Path NODES = Path.of("/sys/devices/system/node");
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String ALLOWED = "Cpus_allowed_list:";

  /**
   * One node.
   *
   * @param number the system's
   * @param cores numbers of its cores, ascending
   * @param folder what the system says of it
   */
  record Node(int number, List<Integer> cores, Path folder) {
    Node {
      cores = List.copyOf(cores);
    }

    /** Free and total bytes of memory; what caches files counts as free. */
    long[] memory() {
      long total = 0;
      long free = 0;
      for (String line : lines(folder.resolve("meminfo"))) {
        String[] words = line.strip().split("\\s+");
        if (words.length > 3) {
          long bytes = Long.parseLong(words[3]) << 10;
          switch (words[2]) {
            case "MemTotal:" -> total = bytes;
            case "MemFree:", "FilePages:" -> free += bytes;
            default -> {}
          }
        }
      }
      return new long[] {free, total};
    }
  }

  Topology {
    nodes = List.copyOf(nodes);
  }

  /** This machine's. */
  static Topology detect() {
    return read(NODES, STATUS);
  }

  /**
   * As Linux tells it.
   *
   * @param folder a folder for each node, {@code node0}, with its {@code cpulist}
   * @param status names the cores that the process may use; a missing file says: all
   */
  static Topology read(Path folder, Path status) {
    if (!Files.isDirectory(folder)) {
      return new Topology(List.of());
    }
    Optional<List<Integer>> allowed = allowed(status);
    List<Node> nodes = new ArrayList<>();
    try (Stream<Path> found = Files.list(folder)) {
      for (Path node : found.toList()) {
        String name = node.getFileName().toString();
        if (name.matches("node\\d+")) {
          List<Integer> cores = new ArrayList<>();
          lines(node.resolve("cpulist")).forEach(line -> cores.addAll(cores(line)));
          allowed.ifPresent(cores::retainAll);
          if (!cores.isEmpty()) {
            nodes.add(new Node(Integer.parseInt(name.substring(4)), cores, node));
          }
        }
      }
    } catch (IOException e) {
      return new Topology(List.of());
    }
    nodes.sort((a, b) -> Integer.compare(a.number(), b.number()));
    return new Topology(nodes);
  }

  private static Optional<List<Integer>> allowed(Path status) {
    return lines(status).stream()
        .filter(line -> line.startsWith(ALLOWED))
        .map(line -> cores(line.substring(ALLOWED.length())))
        .findFirst();
  }

  /** The numbers of a list such as {@code 0-3,8}. */
  static List<Integer> cores(String list) {
    TreeSet<Integer> cores = new TreeSet<>();
    for (String part : list.strip().split(",")) {
      if (!part.isBlank()) {
        String[] ends = part.split("-");
        int last = Integer.parseInt(ends[ends.length - 1].strip());
        for (int core = Integer.parseInt(ends[0].strip()); core <= last; core++) {
          cores.add(core);
        }
      }
    }
    return List.copyOf(cores);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
