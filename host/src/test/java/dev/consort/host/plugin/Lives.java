// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down every step that plugins take, as {@code toy 1 ACTIVE}. */
final class Lives implements PluginListener {
  private final List<String> lines = new CopyOnWriteArrayList<>();

  @Override
  public void changed(PluginStatus status) {
    String name = status.name().replaceAll("^third\\.party\\.|Provider$|\\.jar$", "");
    String unload = status.unload() == Unload.COLLECTED ? " COLLECTED" : "";
    lines.add(name + " " + status.generation() + " " + status.state() + unload);
  }

  /** What was written since the last call. */
  List<String> take() {
    List<String> taken = List.copyOf(lines);
    lines.subList(0, taken.size()).clear();
    return taken;
  }

  /** The steps of a generation that becomes active. */
  static List<String> start(String name, int generation) {
    return List.of("FOUND", "VERIFIED", "RESOLVED", "PROBED", "ACTIVE").stream()
        .map(state -> name + " " + generation + " " + state)
        .toList();
  }
}
