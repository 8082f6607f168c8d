// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.Registration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** A plugin's device; the plugin is registered when its device is first asked for. */
final class PluginSubject implements Subject {
  private final Supplier<? extends BackendProvider> provider;
  private final int index;
  private final KitContext context;
  private final Declaration declaration;
  private @Nullable Registration registration;

  PluginSubject(
      Supplier<? extends BackendProvider> provider,
      int index,
      Map<String, String> settings,
      Declaration declaration) {
    this.provider = provider;
    this.index = index;
    this.context = new KitContext(settings);
    this.declaration = declaration;
  }

  @Override
  public synchronized Device device() {
    Registration open = registration;
    if (open == null) {
      open = provider.get().register(context);
      registration = open;
    }
    List<Device> devices = open.devices();
    if (devices.isEmpty()) {
      throw new TestAbortedException("no device here: " + open.unavailable());
    }
    if (index >= devices.size()) {
      throw new TestAbortedException(
          "no device %d here, the plugin found %d".formatted(index, devices.size()));
    }
    return devices.get(index);
  }

  @Override
  public Declaration declaration() {
    return declaration;
  }

  @Override
  public Optional<Supplier<? extends BackendProvider>> provider() {
    return Optional.of(provider);
  }

  /** A registration of the test's own, which it closes. */
  KitContext context() {
    return context;
  }

  @Override
  public synchronized void close() {
    if (registration != null) {
      registration.close().run();
      registration = null;
    }
  }
}
