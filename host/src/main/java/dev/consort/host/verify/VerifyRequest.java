// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

import dev.consort.host.matrix.ForkedJvm;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What to verify.
 *
 * @param jar the plugin
 * @param sha256 of the JAR that the user agreed to load; another one is refused
 * @param device the device's index
 * @param settings the plugin's, without its name
 * @param sections parts of the kit; all if empty
 * @param silence how long the forked JVM may say nothing before it is ended
 * @param jvm how it is forked
 */
public record VerifyRequest(
    Path jar,
    String sha256,
    int device,
    Map<String, String> settings,
    List<String> sections,
    Duration silence,
    ForkedJvm jvm) {
  public VerifyRequest {
    settings = Map.copyOf(settings);
    sections = List.copyOf(sections);
  }
}
