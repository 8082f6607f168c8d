// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.misbehaving.MisbehavingProvider;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.SpiVersion;
import dev.consort.tck.reference.ReferenceDevice;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** Packs {@link MisbehavingProvider} with the reference device that it is made of. */
final class MisbehavingJar {
  private MisbehavingJar() {}

  static Path write(Path jar) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    take(ReferenceDevice.class, "dev/consort/tck", entries);
    take(MisbehavingProvider.class, "dev/consort/host/matrix/misbehaving", entries);
    entries.put(
        "META-INF/services/" + BackendProvider.class.getName(),
        MisbehavingProvider.class.getName().getBytes(StandardCharsets.UTF_8));
    Manifest head = new Manifest();
    head.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    head.getMainAttributes().putValue("Consort-Spi-Version", SpiVersion.CURRENT.toString());
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream to = new JarOutputStream(out, head)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        to.putNextEntry(new ZipEntry(entry.getKey()));
        to.write(entry.getValue());
        to.closeEntry();
      }
    }
    return jar;
  }

  /** The classes of a package and those below, from a folder or a JAR. */
  private static void take(Class<?> from, String folder, Map<String, byte[]> to)
      throws IOException {
    Path place;
    try {
      place = Path.of(from.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
    if (Files.isDirectory(place)) {
      take(place, place.resolve(folder), to);
      return;
    }
    try (FileSystem jar = FileSystems.newFileSystem(URI.create("jar:" + place.toUri()), Map.of())) {
      take(jar.getPath("/"), jar.getPath("/" + folder), to);
    }
  }

  private static void take(Path root, Path folder, Map<String, byte[]> to) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        to.put(root.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
      }
    }
  }
}
