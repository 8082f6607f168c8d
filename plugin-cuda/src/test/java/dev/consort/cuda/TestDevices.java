// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Device;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The CUDA devices of this machine. */
final class TestDevices {
  private static final Registration REGISTRATION = register("", "");

  private TestDevices() {}

  private static Registration register(String key, String value) {
    return new CudaProvider()
        .register(
            new PluginContext() {
              @Override
              public Path nativeDirectory() {
                return Path.of("target", "native").toAbsolutePath();
              }

              @Override
              public Optional<String> setting(String asked) {
                return asked.equals(key) ? Optional.of(value) : Optional.empty();
              }
            });
  }

  static Registration registration() {
    return REGISTRATION;
  }

  /** All devices; aborts the test where there are fewer than so many. */
  static List<Device> atLeast(int count) {
    return atLeast(count, REGISTRATION);
  }

  /** Devices of their own, whose members wait so long for each other. */
  static List<Device> withTimeout(Duration timeout, int count) {
    return with("collective-timeout", String.valueOf(timeout.toMillis() / 1000.0), count);
  }

  /** Devices of their own, for which the plugin has a setting. */
  static List<Device> with(String key, String value, int count) {
    return atLeast(count, register(key, value));
  }

  private static List<Device> atLeast(int count, Registration registration) {
    List<Device> devices = registration.devices();
    Assumptions.assumeTrue(
        devices.size() >= count,
        () ->
            "%d CUDA devices are needed, there are %d: %s"
                .formatted(count, devices.size(), registration.unavailable()));
    return devices;
  }
}
