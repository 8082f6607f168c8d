// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears under its name when it is complete and not before; closed early it leaves
 * nothing. Made before the work starts, so that a path that can't be written fails at once.
 */
final class OutputFile implements AutoCloseable {
  private final Path target;
  private final Path partial;
  private final OutputStream stream;

  private OutputFile(Path target, Path partial, OutputStream stream) {
    this.target = target;
    this.partial = partial;
    this.stream = stream;
  }

  static OutputFile create(Path target) {
    if (Files.isDirectory(target)) {
      throw new ConsortException(
          ErrorCode.IO, "%s is a folder; name a file to write".formatted(target));
    }
    Path absolute = target.toAbsolutePath();
    Path partial =
        absolute.resolveSibling(
            ".%s.%d.part".formatted(absolute.getFileName(), ProcessHandle.current().pid()));
    try {
      return new OutputFile(
          target,
          partial,
          new BufferedOutputStream(
              Files.newOutputStream(
                  partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              1 << 16));
    } catch (IOException e) {
      throw failed(target, e);
    }
  }

  void write(byte[] bytes) {
    try {
      stream.write(bytes);
    } catch (IOException e) {
      throw failed(target, e);
    }
  }

  /** Gives the file its name. */
  void finish() {
    try {
      stream.close();
      Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw failed(target, e);
    }
  }

  @Override
  public void close() {
    try {
      stream.close();
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      throw failed(target, e);
    }
  }

  private static ConsortException failed(Path target, IOException cause) {
    return new ConsortException(
        ErrorCode.IO,
        "%s can't be written (%s); check the folder, its rights and free space"
            .formatted(target, cause),
        cause);
  }
}
