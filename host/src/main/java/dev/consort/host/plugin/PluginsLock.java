// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The plugins that a folder's owner looked at: a text file of lines {@code name version sha256}.
 * Where there is one, nothing else of the folder is loaded.
 */
public record PluginsLock(List<LockedPlugin> plugins) implements Admission {
  /** Its name in the plugins folder. */
  public static final String FILE = "plugins.lock";

  private static final String HEAD =
      """
      # Only the plugins listed here are loaded from this folder; consort plugins lock writes this
      # file. A line holds a plugin's name, its version and the SHA-256 of its JAR file.
      """;

  public PluginsLock {
    plugins = List.copyOf(plugins);
  }

  /** What a lock would list now: all plugins of a folder that were loaded or found no device. */
  public static PluginsLock of(List<PluginStatus> statuses) {
    return new PluginsLock(
        statuses.stream()
            .filter(
                status ->
                    status.state() == PluginState.ACTIVE
                        || status.state() == PluginState.UNAVAILABLE)
            .filter(status -> !status.sha256().isEmpty())
            .map(status -> new LockedPlugin(status.name(), status.version(), status.sha256()))
            .sorted(Comparator.comparing(LockedPlugin::name))
            .toList());
  }

  /**
   * The lock of a folder, if it has one.
   *
   * @throws ConsortException INVALID_FILE, IO; PLUGIN_FAILED if others can write it
   */
  public static Optional<PluginsLock> find(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Trust.check(file);
    try {
      return Optional.of(new PluginsLock(parse(file, Files.readAllLines(file))));
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, "%s can't be read: %s".formatted(file, e), e);
    }
  }

  /**
   * Who decides about a folder's files: its lock, or its owner where there is none. A lock that
   * can't be read admits nothing.
   */
  static Admission admissionOf(Path folder) {
    try {
      return find(folder).map(lock -> (Admission) lock).orElse(Admission.ofOwner());
    } catch (ConsortException e) {
      return jar -> {
        throw new ConsortException(ErrorCode.PLUGIN_FAILED, e.getMessage(), e);
      };
    }
  }

  private static List<LockedPlugin> parse(Path file, List<String> lines) {
    List<LockedPlugin> found = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      String[] parts = line.split("\\s+");
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      if (parts.length != 3 || !parts[2].matches("[0-9a-f]{64}")) {
        throw new ConsortException(
            ErrorCode.INVALID_FILE,
            "line %d of %s is \"%s\", expected a name, a version and 64 hexadecimal digits; write the file again with consort plugins lock"
                .formatted(i + 1, file, line));
      }
      found.add(new LockedPlugin(parts[0], parts[1], parts[2]));
    }
    return found;
  }

  /** Writes the lock of a folder; the old one stays until the new one is complete. */
  public void write(Path folder) {
    Path file = folder.resolve(FILE);
    String text =
        plugins.stream()
            .map(p -> "%s %s %s\n".formatted(p.name(), p.version(), p.sha256()))
            .collect(Collectors.joining("", HEAD, ""));
    try {
      Path part = Files.createTempFile(folder, FILE, ".part");
      try {
        Files.writeString(part, text, StandardCharsets.UTF_8);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, "%s can't be written: %s".formatted(file, e), e);
    }
  }

  /** The line for a JAR file. */
  public Optional<LockedPlugin> find(String sha256) {
    return plugins.stream().filter(plugin -> plugin.sha256().equals(sha256)).findFirst();
  }

  @Override
  public Optional<LockedPlugin> admit(JarIdentity jar) {
    Optional<LockedPlugin> listed = find(jar.sha256());
    if (listed.isEmpty()) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "%s does not list it (SHA-256 %s); if you trust it, run consort plugins lock, else remove it"
              .formatted(FILE, jar.sha256()));
    }
    return listed;
  }
}
