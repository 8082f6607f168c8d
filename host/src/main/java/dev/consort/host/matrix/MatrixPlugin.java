// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

/**
 * A plugin as a forked JVM found it.
 *
 * @param state of {@code PluginState}, or {@value #CRASHED} where the JVM died of starting it
 * @param reason why it is not active; empty if it is
 * @param origin its JAR file, or {@code class path}
 * @param sha256 of the JAR file; empty for the class path
 */
public record MatrixPlugin(
    String name, String version, String state, String reason, String origin, String sha256) {
  /** The state of a plugin that killed its JVM. */
  public static final String CRASHED = "CRASHED";
}
