// SPDX-License-Identifier: Apache-2.0
package dev.consort.host;

import dev.consort.host.plugin.ClassPathSource;
import dev.consort.host.plugin.FolderSource;
import dev.consort.host.plugin.PluginSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a host is opened with.
 *
 * @param sources where plugins come from; an earlier source wins where two have one of the same
 *     name
 * @param settings what is set for plugins, by {@code plugin.key}, as in {@code cpu.threads}
 * @param startLimit how long one plugin may take to start before it counts as failed
 */
public record ConsortOptions(
    List<PluginSource> sources, Map<String, String> settings, Duration startLimit) {
  /** The system property that names the default plugins folder; the launcher sets it. */
  public static final String PLUGINS_PROPERTY = "consort.plugins";

  private static final Duration START_LIMIT = Duration.ofSeconds(15);

  public ConsortOptions {
    sources = List.copyOf(sources);
    settings = Map.copyOf(settings);
  }

  /**
   * Plugins of the class path, and of the folder that {@value #PLUGINS_PROPERTY} names if it is
   * set.
   */
  public static ConsortOptions defaults() {
    ConsortOptions classPath = ofClassPath();
    String folder = System.getProperty(PLUGINS_PROPERTY, "");
    return folder.isEmpty() ? classPath : classPath.withPlugins(Path.of(folder));
  }

  /** Plugins of the class path and of {@code folder} alone. */
  public static ConsortOptions ofFolder(Path folder) {
    return ofClassPath().withPlugins(folder);
  }

  /** Plugins of the class path alone. */
  public static ConsortOptions ofClassPath() {
    return new ConsortOptions(
        List.of(new ClassPathSource(Consort.class.getClassLoader())), Map.of(), START_LIMIT);
  }

  /** These options with one more folder of plugin JARs. */
  public ConsortOptions withPlugins(Path folder) {
    return withSource(new FolderSource(folder));
  }

  /** These options with one more folder of plugin JARs, which run as OSGi bundles. */
  public ConsortOptions withBundles(Path folder) {
    return withSource(FolderSource.ofBundles(folder));
  }

  /** These options with one more place that plugins come from. */
  public ConsortOptions withSource(PluginSource source) {
    List<PluginSource> more = new ArrayList<>(sources);
    more.add(source);
    return new ConsortOptions(more, settings, startLimit);
  }

  /** These options with {@code plugin.key} set. */
  public ConsortOptions withSetting(String key, String value) {
    Map<String, String> more = new HashMap<>(settings);
    more.put(key, value);
    return new ConsortOptions(sources, more, startLimit);
  }

  /** These options with another time limit for a plugin's start. */
  public ConsortOptions withStartLimit(Duration limit) {
    return new ConsortOptions(sources, settings, limit);
  }
}
