// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.util.List;

/** The CPU plugin's entry: one device, the host's processor. */
public final class CpuProvider implements BackendProvider {
  private static final String VERSION = "0.1.0";

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Registration register(PluginContext context) {
    Settings settings = Settings.of(context);
    Processor processor = Processor.detect();
    NativeLibrary.directory(context.nativeDirectory());
    String best = NativeLibrary.resource().isEmpty() ? "portable" : processor.bestPath();
    String path = settings.path().isEmpty() ? best : settings.path();
    var device = new CpuDevice(processor, path, settings);
    return Registration.of(VERSION, List.of(device), device::close);
  }
}
