// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.demo;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.plugin.UserDirectories;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarEntry;

/**
 * A llama of 4.9 million parameters that answers small questions whose answers can be checked;
 * trained by {@code demo-model/train.py}.
 */
public final class DemoModel {
  /** A prompt of the form that the model was trained on. */
  public static final String PROMPT = "Q: What is 348 + 275?\nA: ";

  private static final String RESOURCE = "demo-q8_0.gguf";

  private DemoModel() {}

  /**
   * The model as a file that can be mapped. Unpacks it into the user's cache directory when it is
   * not there yet.
   *
   * @throws ConsortException IO if it can't be unpacked
   */
  public static Path file() {
    URL resource = DemoModel.class.getResource(RESOURCE);
    if (resource == null) {
      throw new ConsortException(
          ErrorCode.INTERNAL, "this build holds no demo model; name a model with -m");
    }
    try {
      return resource.getProtocol().equals("file") ? Path.of(resource.toURI()) : unpacked(resource);
    } catch (IOException | URISyntaxException e) {
      throw new ConsortException(
          ErrorCode.IO, "the demo model can't be unpacked: " + e + "; name a model with -m", e);
    }
  }

  private static Path unpacked(URL resource) throws IOException {
    // Asked without a cache, so that closing the stream closes the JAR.
    JarURLConnection connection =
        (JarURLConnection) URI.create(resource.toString()).toURL().openConnection();
    connection.setUseCaches(false);
    try (InputStream in = connection.getInputStream()) {
      JarEntry entry = connection.getJarEntry();
      Path folder = UserDirectories.privateDirectory("demo/%08x".formatted(entry.getCrc()));
      Path file = folder.resolve(RESOURCE);
      if (Files.exists(file) && Files.size(file) == entry.getSize()) {
        return file;
      }
      Path partial = Files.createTempFile(folder, RESOURCE, ".part");
      try {
        Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
        return Files.move(
            partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(partial);
      }
    }
  }
}
