// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.util.List;

/** The plugin's entry, named in {@code META-INF/services}. Finds the devices and starts none. */
public final class TemplateProvider implements BackendProvider {
  static final String NAME = "template";
  private static final String VERSION = "0.1.0";

  @Override
  public String name() {
    return NAME;
  }

  /** Where a driver is missing, return {@link Registration#unavailable} with the reason. */
  @Override
  public Registration register(PluginContext context) {
    return Registration.of(VERSION, List.of(new TemplateDevice(0)), () -> {});
  }
}
