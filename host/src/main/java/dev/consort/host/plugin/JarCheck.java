// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** What is asked of a JAR file before a class of it is loaded. */
final class JarCheck {
  /** The manifest attribute by which a plugin says which SPI it was compiled against. */
  static final String SPI_ATTRIBUTE = "Consort-Spi-Version";

  /** Above this many bytes a JAR must not unpack to more than {@link #MOST_FOLD} times its size. */
  private static final long HARMLESS = 64L << 20;

  private static final long MOST_FOLD = 100;
  private static final int MANIFEST_LIMIT = 1 << 20;

  /** What a plugin shares with the host and so must not bring. */
  private static final List<String> SHARED =
      List.of("dev/consort/api/", "dev/consort/spi/", "org/slf4j/Logger");

  private JarCheck() {}

  /**
   * The manifest of a JAR that may be loaded.
   *
   * @throws ConsortException PLUGIN_FAILED with what is wrong with it
   */
  static Attributes check(Path jar) {
    try (ZipFile file = new ZipFile(jar.toFile())) {
      List<? extends ZipEntry> entries = file.stream().toList();
      checkSizes(entries, Files.size(jar));
      checkForCopies(entries);
      Attributes manifest = manifest(file);
      checkSpi(spiVersion(manifest));
      return manifest;
    } catch (IOException | IllegalArgumentException e) {
      throw unreadable(e.toString(), e);
    }
  }

  /** Whether the file's directory, which is written last, is there. */
  static boolean isWhole(Path jar) {
    try (ZipFile file = new ZipFile(jar.toFile())) {
      return file.size() > 0;
    } catch (IOException | IllegalArgumentException e) {
      return false;
    }
  }

  static ConsortException unreadable(String found, Throwable cause) {
    return new ConsortException(
        ErrorCode.PLUGIN_FAILED,
        "not a readable JAR file: %s; copy it again or remove it".formatted(found),
        cause);
  }

  private static void checkSizes(List<? extends ZipEntry> entries, long fileBytes) {
    long unpacked = 0;
    long packed = 0;
    for (ZipEntry entry : entries) {
      unpacked += Math.max(0, entry.getSize());
      packed += Math.max(0, entry.getCompressedSize());
    }
    if (packed > fileBytes) {
      throw failed(
          "its entries claim %,d bytes in a file of %,d, so they overlap; a ZIP tool did not make this, remove it"
              .formatted(packed, fileBytes));
    }
    if (unpacked > HARMLESS && unpacked / MOST_FOLD > fileBytes) {
      throw failed(
          "its %,d bytes unpack to %,d, more than %d times as many, as in a ZIP bomb; store large data uncompressed"
              .formatted(fileBytes, unpacked, MOST_FOLD));
    }
  }

  private static void checkForCopies(List<? extends ZipEntry> entries) {
    for (String shared : SHARED) {
      List<String> copies =
          entries.stream()
              .map(ZipEntry::getName)
              .map(JarCheck::withoutVersion)
              .filter(name -> name.startsWith(shared) && name.endsWith(".class"))
              .toList();
      if (!copies.isEmpty()) {
        throw failed(
            "it brings its own copy of what the host shares with plugins (%s%s); leave consort-api, consort-spi and slf4j-api out of the JAR"
                .formatted(
                    copies.getFirst(),
                    copies.size() > 1 ? " and %d more".formatted(copies.size() - 1) : ""));
      }
    }
  }

  private static String withoutVersion(String entry) {
    return entry.replaceFirst("^META-INF/versions/\\d+/", "");
  }

  private static Attributes manifest(ZipFile file) throws IOException {
    ZipEntry entry = file.getEntry(JarFile.MANIFEST_NAME);
    if (entry == null) {
      return new Attributes();
    }
    try (InputStream in = file.getInputStream(entry)) {
      byte[] text = in.readNBytes(MANIFEST_LIMIT + 1);
      if (text.length > MANIFEST_LIMIT) {
        throw failed("its manifest is longer than %,d bytes".formatted(MANIFEST_LIMIT));
      }
      return new Manifest(new java.io.ByteArrayInputStream(text)).getMainAttributes();
    }
  }

  /** The version that a manifest names. */
  static SpiVersion spiVersion(Attributes manifest) {
    String text = manifest.getValue(SPI_ATTRIBUTE);
    if (text == null) {
      throw failed(
          "its manifest has no %s, so it can't be told whether it fits; a plugin made for this host has \"%s: %s\""
              .formatted(SPI_ATTRIBUTE, SPI_ATTRIBUTE, SpiVersion.CURRENT));
    }
    String[] parts = text.strip().split("\\.");
    try {
      return new SpiVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw failed(
          "the manifest's %s is \"%s\", which is no version such as %s"
              .formatted(SPI_ATTRIBUTE, text, SpiVersion.CURRENT));
    }
  }

  /** Refuses a version that the host can't run, naming both. */
  static void checkSpi(SpiVersion plugin) {
    if (!SpiVersion.CURRENT.accepts(plugin)) {
      throw failed(
          "made for SPI %s, but this host has SPI %s; install a plugin for this host, or a newer host"
              .formatted(plugin, SpiVersion.CURRENT));
    }
  }

  private static ConsortException failed(String why) {
    return new ConsortException(ErrorCode.PLUGIN_FAILED, why);
  }
}
