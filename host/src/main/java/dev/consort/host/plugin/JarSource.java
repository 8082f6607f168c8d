// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.nio.file.Path;
import java.util.List;

/** One JAR file from anywhere, loaded only if somebody admits it. */
public final class JarSource implements PluginSource {
  private final JarCandidate jar;

  public JarSource(Path jar, Admission admission) {
    this.jar = new JarCandidate(jar, "", admission, new IsolatedLoader());
  }

  @Override
  public List<PluginCandidate> find() {
    return List.of(jar);
  }
}
