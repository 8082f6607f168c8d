// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An open GGUF model, possibly of several files, mapped into memory: opening reads the head only.
 * Thread safe; {@link #close} unmaps the files, after which no tensor's data may be touched. The
 * files must not change while they are open.
 */
public final class GgufFile implements AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final Metadata metadata;
  private final Map<String, GgufTensor> tensors;

  private GgufFile(Path path, Arena arena, Metadata metadata, Map<String, GgufTensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Opens a model. Of a model in several files any one may be given; the others must lie beside it.
   *
   * @throws ConsortException NOT_FOUND, IO, INVALID_FILE or UNSUPPORTED; the text names the file,
   *     what was found, what was expected and what to do
   */
  public static GgufFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      return open(path, arena);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static GgufFile open(Path path, Arena arena) {
    GgufParser.Parsed given = parse(path, arena);
    int count = GgufSplits.count(given.metadata());
    if (count <= 1) {
      return new GgufFile(path, arena, given.metadata(), byName(path, List.of(given)));
    }
    List<GgufParser.Parsed> parts = new ArrayList<>();
    for (Path part : GgufSplits.paths(path, count)) {
      GgufParser.Parsed parsed = part.equals(path) ? given : parse(part, arena);
      GgufSplits.check(part, parsed.metadata(), parts.size(), count);
      parts.add(parsed);
    }
    Metadata first = parts.getFirst().metadata();
    Map<String, GgufTensor> tensors = byName(path, parts);
    GgufSplits.checkTensors(path, first, tensors.size());
    return new GgufFile(path, arena, first, tensors);
  }

  private static GgufParser.Parsed parse(Path path, Arena arena) {
    return GgufParser.parse(path.toString(), map(path, arena));
  }

  private static MemorySegment map(Path path, Arena arena) {
    if (Files.isDirectory(path)) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, path + ": this is a folder, expected a GGUF file; name the file");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, path + ": no such file, expected a GGUF file; check the path", e);
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO, "%s: can't be read (%s); check its rights".formatted(path, e), e);
    }
  }

  private static Map<String, GgufTensor> byName(Path path, List<GgufParser.Parsed> parts) {
    Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    for (GgufParser.Parsed part : parts) {
      for (GgufTensor tensor : part.tensors()) {
        if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
          throw new ConsortException(
              ErrorCode.INVALID_FILE,
              "%s: tensor %s is in two of the model's files; fetch them again"
                  .formatted(path, tensor.name()));
        }
      }
    }
    return Collections.unmodifiableMap(tensors);
  }

  /** The file that was asked for. */
  public Path path() {
    return path;
  }

  public Metadata metadata() {
    return metadata;
  }

  /** All tensors, in the files' order. */
  public Collection<GgufTensor> tensors() {
    return tensors.values();
  }

  public Optional<GgufTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * The tensor of that name.
   *
   * @throws ConsortException INVALID_FILE if there is none
   */
  public GgufTensor tensor(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new ConsortException(
                    ErrorCode.INVALID_FILE,
                    "%s: tensor %s is missing among the %d there are; convert the model again"
                        .formatted(path, name, tensors.size())));
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
