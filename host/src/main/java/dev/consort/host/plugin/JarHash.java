// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;

/** What a JAR file is known by in locks, and when its owner is asked. */
public final class JarHash {
  private JarHash() {}

  /**
   * The SHA-256 of a file, 64 hexadecimal digits.
   *
   * @throws ConsortException IO
   */
  public static String sha256(Path file) {
    try {
      return Fingerprint.ofFile(file);
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, "%s can't be read: %s".formatted(file, e), e);
    }
  }
}
