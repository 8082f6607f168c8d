// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.spi.SpiVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * A JAR file that should hold one plugin. It is copied to a private place first; what is checked,
 * hashed and loaded is the copy, so that nothing can be changed in between, and so that the file
 * may be replaced while the plugin runs.
 */
final class JarCandidate implements PluginCandidate {
  private final Path jar;
  private final String revision;
  private final String circumstances;
  private final Admission admission;
  private final JarLoader loader;

  JarCandidate(Path jar, String circumstances, Admission admission, JarLoader loader) {
    this.jar = jar;
    this.circumstances = circumstances + " " + Trust.objection(jar).orElse("");
    this.revision = revision(jar);
    this.admission = admission;
    this.loader = loader;
  }

  @Override
  public String label() {
    return String.valueOf(jar.getFileName());
  }

  @Override
  public String origin() {
    return jar.toString();
  }

  @Override
  public String revision() {
    return revision;
  }

  @Override
  public String circumstances() {
    return circumstances;
  }

  @Override
  public PluginWay way() {
    return loader.way();
  }

  @Override
  public boolean isWhole() {
    return JarCheck.isWhole(jar);
  }

  @Override
  public VerifiedPlugin verify() {
    if (!Files.isRegularFile(jar)) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED, "it is no regular file; plugins are JAR files");
    }
    Trust.check(jar);
    Path copy = SessionDirectory.unused(label());
    try {
      String sha256 = JarStore.place(jar, copy);
      SpiVersion spi = JarCheck.spiVersion(JarCheck.check(copy));
      Optional<LockedPlugin> locked = admission.admit(new JarIdentity(jar, sha256, spi));
      var natives = new NativeDirectory(() -> sha256);
      return new VerifiedPlugin(
          spi.toString(),
          sha256,
          locked,
          () -> loader.load(label(), copy, natives),
          () -> {
            natives.close();
            SessionDirectory.delete(copy);
          });
    } catch (IOException e) {
      SessionDirectory.delete(copy);
      throw JarCheck.unreadable(e.toString(), e);
    } catch (RuntimeException e) {
      SessionDirectory.delete(copy);
      throw e;
    }
  }

  /** Another one when the file was written or replaced. */
  static String revision(Path jar) {
    try {
      BasicFileAttributes found = Files.readAttributes(jar, BasicFileAttributes.class);
      return found.size() + " " + found.lastModifiedTime().toInstant() + " " + found.fileKey();
    } catch (IOException e) {
      return "none";
    }
  }
}
