// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.util.ArrayList;
import java.util.List;

/**
 * The plugin {@code reference}. Settings: {@code devices}, how many (1), and {@code adversary}, the
 * seed of a {@linkplain Adversary#seeded seeded adversary} (none).
 */
public final class ReferenceProvider implements BackendProvider {
  static final String NAME = "reference";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Registration register(PluginContext context) {
    int count = context.setting("devices").map(Integer::parseInt).orElse(1);
    Adversary adversary =
        context
            .setting("adversary")
            .map(seed -> Adversary.seeded(Long.parseLong(seed)))
            .orElse(Adversary.none());
    List<Device> devices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      devices.add(new ReferenceDevice(ReferenceOptions.of(i).adversary(adversary)));
    }
    return Registration.of("1.0", devices, () -> {});
  }
}
