// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Device;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The CUDA devices of this machine. */
final class TestDevices {
  private static final Registration REGISTRATION =
      new CudaProvider()
          .register(
              new PluginContext() {
                @Override
                public Path nativeDirectory() {
                  return Path.of("target", "native").toAbsolutePath();
                }

                @Override
                public Optional<String> setting(String key) {
                  return Optional.empty();
                }
              });

  private TestDevices() {}

  static Registration registration() {
    return REGISTRATION;
  }

  /** All devices; aborts the test where there are fewer than so many. */
  static List<Device> atLeast(int count) {
    List<Device> devices = REGISTRATION.devices();
    Assumptions.assumeTrue(
        devices.size() >= count,
        () ->
            "%d CUDA devices are needed, there are %d: %s"
                .formatted(count, devices.size(), REGISTRATION.unavailable()));
    return devices;
  }
}
