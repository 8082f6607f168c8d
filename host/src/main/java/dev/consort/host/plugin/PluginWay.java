// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** By which way a plugin came in. */
public enum PluginWay {
  /** On the program's class path, found by {@link java.util.ServiceLoader}. */
  CLASS_PATH("class path"),
  /** A JAR with a class loader of its own. */
  FOLDER("folder"),
  /** A JAR that runs as a bundle of the embedded OSGi framework. */
  OSGI("osgi");

  private final String label;

  PluginWay(String label) {
    this.label = label;
  }

  /** As people read it. */
  public String label() {
    return label;
  }
}
