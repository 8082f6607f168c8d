// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.model.Model;
import java.nio.file.Path;

/** A host, a model and an engine that runs the one on the other, closed in the right order. */
record Rig(Consort consort, Model model, Engine engine) implements AutoCloseable {
  /** Makes the meta device when the plugins are there. */
  @FunctionalInterface
  interface DeviceChoice {
    MetaDevice of(Consort consort);
  }

  static Rig open(
      Console console, HostOptions host, Path file, DeviceChoice devices, EngineOptions options) {
    Model model = Model.open(file);
    Consort consort = null;
    try {
      consort = host.open();
      MetaDevice device = devices.of(consort);
      Engine engine = load(console, model, device, options);
      return new Rig(consort, model, engine);
    } catch (RuntimeException | Error e) {
      if (consort != null) {
        consort.close();
      }
      model.close();
      throw e;
    }
  }

  /** Opens an engine under a progress bar. */
  static Engine load(Console console, Model model, MetaDevice device, EngineOptions options) {
    try (Bar.Lazy bar = new Bar.Lazy(console, "loading")) {
      return Engine.open(model, device, options, bar::at);
    }
  }

  @Override
  public void close() {
    try (consort;
        model;
        engine) {
      // Closes the engine first.
    }
  }
}
