// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** What is tested. */
public interface Subject extends AutoCloseable {
  /** The device that operations, buffers and streams are tested on. */
  Device device();

  /** What must work. */
  Declaration declaration();

  /** The devices of a comm's members; by default the device itself, several times. */
  default List<Device> members(int count) {
    return Collections.nCopies(count, device());
  }

  /**
   * Makes the plugin's provider, each time a new one; with it the kit also tests registering. The
   * kit never has two registrations of its own open at once.
   */
  default Optional<Supplier<? extends BackendProvider>> provider() {
    return Optional.empty();
  }

  /** Releases what was opened for the tests. */
  @Override
  default void close() {}

  /**
   * The first device of a plugin. Tests are aborted where the plugin finds none, with its reason.
   */
  static Subject of(Supplier<? extends BackendProvider> provider, Declaration declaration) {
    return of(provider, 0, Map.of(), declaration);
  }

  /**
   * One device of a plugin.
   *
   * @param index the device's
   * @param settings the plugin's settings
   */
  static Subject of(
      Supplier<? extends BackendProvider> provider,
      int index,
      Map<String, String> settings,
      Declaration declaration) {
    return new PluginSubject(provider, index, settings, declaration);
  }

  /** A device that is not closed. */
  static Subject of(Device device, Declaration declaration) {
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return declaration;
      }
    };
  }
}
