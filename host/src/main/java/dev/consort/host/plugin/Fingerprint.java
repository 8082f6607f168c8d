// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A SHA-256 in 64 hexadecimal digits. */
final class Fingerprint {
  private Fingerprint() {}

  static String ofFile(Path file) throws IOException {
    try (OutputStream nowhere = OutputStream.nullOutputStream()) {
      return copying(file, nowhere);
    }
  }

  /** Copies a file; the hash is that of the bytes that were written. */
  static String ofCopy(Path from, Path to) throws IOException {
    try (OutputStream out = Files.newOutputStream(to)) {
      return copying(from, out);
    }
  }

  static String ofText(String text) {
    MessageDigest digest = sha256();
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String copying(Path from, OutputStream to) throws IOException {
    MessageDigest digest = sha256();
    byte[] block = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(from);
        DigestOutputStream out = new DigestOutputStream(to, digest)) {
      for (int n = in.read(block); n >= 0; n = in.read(block)) {
        out.write(block, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
