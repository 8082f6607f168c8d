// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.BackendProvider;
import java.util.List;
import java.util.ServiceLoader;

/** Finds the one provider that a plugin names. */
final class Providers {
  private Providers() {}

  static BackendProvider only(ClassLoader loader) {
    List<ServiceLoader.Provider<BackendProvider>> found =
        ServiceLoader.load(BackendProvider.class, loader).stream().toList();
    if (found.size() != 1) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "holds %s; a plugin names exactly one in META-INF/services/%s"
              .formatted(
                  found.isEmpty() ? "no provider" : found.size() + " providers",
                  BackendProvider.class.getName()));
    }
    return found.getFirst().get();
  }
}
