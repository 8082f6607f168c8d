// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A plugin's directory for natives, hashed and made when it is first asked for. */
final class NativeDirectory implements Supplier<Path> {
  private final Supplier<String> fingerprint;
  private @Nullable Path directory;

  NativeDirectory(Supplier<String> fingerprint) {
    this.fingerprint = fingerprint;
  }

  @Override
  public synchronized Path get() {
    if (directory == null) {
      directory = UserDirectories.privateDirectory("natives/" + fingerprint.get());
    }
    return directory;
  }
}
