// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a GGUF file of version 3 in three steps: declare keys and tensors, {@link #begin}, then
 * {@link #write} the tensors' bytes in any order from any thread; {@link #finish} puts the file in
 * its place. Until then it lies beside it under a temporary name, which {@link #close} removes.
 */
public final class GgufWriter implements AutoCloseable {
  private static final int ALIGNMENT = GgufParser.DEFAULT_ALIGNMENT;

  /** Channels take a buffer, whose size is an int. */
  private static final int PIECE = 1 << 30;

  private final Path target;
  private final Path temporary;
  private final FileChannel channel;
  private final HeadBuilder keyValues = new HeadBuilder();
  private final Set<String> keys = new HashSet<>();
  private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
  private long dataStart = -1;
  private boolean finished;

  private record Entry(DataType type, Shape shape, long offset, long bytes, AtomicLong written) {}

  private GgufWriter(Path target, Path temporary, FileChannel channel) {
    this.target = target;
    this.temporary = temporary;
    this.channel = channel;
  }

  /**
   * Starts a file that shall be {@code target} when it is finished, replacing one that is there.
   *
   * @throws ConsortException IO if the folder can't be written
   */
  public static GgufWriter create(Path target) {
    Path absolute = target.toAbsolutePath();
    Path temporary =
        absolute.resolveSibling(
            ".%s.%d.part".formatted(absolute.getFileName(), ProcessHandle.current().pid()));
    try {
      FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING);
      temporary.toFile().deleteOnExit();
      return new GgufWriter(target, temporary, channel);
    } catch (IOException e) {
      throw failed(target, "can't be created", e);
    }
  }

  public GgufWriter string(String key, String value) {
    key(key, MetadataType.STRING).string(value);
    return this;
  }

  public GgufWriter integer(String key, int value) {
    key(key, MetadataType.UINT32).i32(value);
    return this;
  }

  public GgufWriter real(String key, float value) {
    key(key, MetadataType.FLOAT32).f32(value);
    return this;
  }

  public GgufWriter flag(String key, boolean value) {
    key(key, MetadataType.BOOL).i8(value ? 1 : 0);
    return this;
  }

  public GgufWriter strings(String key, List<String> values) {
    array(key, MetadataType.STRING, values.size());
    values.forEach(keyValues::string);
    return this;
  }

  public GgufWriter floats(String key, float[] values) {
    array(key, MetadataType.FLOAT32, values.length);
    for (float value : values) {
      keyValues.f32(value);
    }
    return this;
  }

  public GgufWriter integers(String key, int[] values) {
    array(key, MetadataType.INT32, values.length);
    for (int value : values) {
      keyValues.i32(value);
    }
    return this;
  }

  /** Takes a key with its value, whatever its type, from another file. */
  public GgufWriter copy(Metadata from, String key) {
    MetadataValue value = from.value(key);
    if (value.isArray()) {
      array(key, value.type(), value.count());
    } else {
      key(key, value.type());
    }
    keyValues.bytes(from.stored(key));
    return this;
  }

  /** Declares a tensor; its data come after those of the ones declared before. */
  public GgufWriter tensor(String name, DataType type, Shape shape) {
    requireDeclaring();
    long bytes = Math.multiplyExact(type.bytes(shape.ne0()), shape.rows());
    Entry entry = new Entry(type, shape, dataBytes(), bytes, new AtomicLong());
    if (entries.putIfAbsent(name, entry) != null) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, target + ": tensor " + name + " is declared twice");
    }
    return this;
  }

  /** Bytes of all declared tensors, with padding. */
  public long dataBytes() {
    if (entries.isEmpty()) {
      return 0;
    }
    Entry last = entries.lastEntry().getValue();
    return last.offset() + pad(last.bytes());
  }

  /**
   * Writes the head; nothing can be declared afterwards.
   *
   * @throws ConsortException IO if it can't be written or there is no room for the tensors
   */
  public GgufWriter begin() {
    requireDeclaring();
    requireRoom();
    HeadBuilder head =
        new HeadBuilder()
            .i32(GgufParser.MAGIC)
            .i32(GgufParser.VERSION)
            .i64(entries.size())
            .i64(keys.size())
            .append(keyValues);
    entries.forEach((name, entry) -> describe(head, name, entry));
    byte[] bytes = head.padTo(ALIGNMENT).toBytes();
    dataStart = bytes.length;
    writeAt(ByteBuffer.wrap(bytes), 0);
    long end = dataStart + dataBytes();
    if (end > dataStart) {
      writeAt(ByteBuffer.allocate(1), end - 1);
    }
    return this;
  }

  /**
   * Writes bytes of a tensor from byte {@code offset} on. Thread safe; blocks for the disk. Each
   * byte must be written once.
   *
   * @throws ConsortException INVALID_ARGUMENT outside the tensor, IO if writing fails
   */
  public void write(String name, long offset, MemorySegment data) {
    Entry entry = entries.get(name);
    if (dataStart < 0 || entry == null) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          target + ": tensor " + name + " is not declared, or begin() was not called");
    }
    if (offset < 0 || data.byteSize() > entry.bytes() - offset) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%s: %d bytes at %d are outside tensor %s of %d bytes"
              .formatted(target, data.byteSize(), offset, name, entry.bytes()));
    }
    long at = dataStart + entry.offset() + offset;
    for (long done = 0; done < data.byteSize(); done += PIECE) {
      long length = Math.min(PIECE, data.byteSize() - done);
      writeAt(buffer(data.asSlice(done, length)), at + done);
    }
    entry.written().addAndGet(data.byteSize());
  }

  /**
   * Gives the file its name.
   *
   * @throws ConsortException INVALID_ARGUMENT if a tensor was not written, IO if the disk refuses
   */
  public void finish() {
    entries.forEach(this::requireWritten);
    try {
      channel.close();
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      finished = true;
    } catch (IOException e) {
      throw failed(target, "can't be put in place", e);
    }
  }

  /** Removes the temporary file if {@link #finish} was not reached. */
  @Override
  public void close() {
    if (finished) {
      return;
    }
    try {
      channel.close();
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      throw failed(temporary, "can't be removed", e);
    }
  }

  private static ByteBuffer buffer(MemorySegment data) {
    return data.isNative()
        ? data.asByteBuffer()
        : ByteBuffer.wrap(data.toArray(ValueLayout.JAVA_BYTE));
  }

  private static long pad(long bytes) {
    return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
  }

  private static void describe(HeadBuilder head, String name, Entry entry) {
    Shape shape = entry.shape();
    int axes = shape.lastAxis() + 1;
    head.string(name).i32(axes);
    for (int axis = 0; axis < axes; axis++) {
      head.i64(shape.ne(axis));
    }
    head.i32(entry.type().ggufId()).i64(entry.offset());
  }

  private HeadBuilder key(String key, MetadataType type) {
    requireDeclaring();
    if (!keys.add(key)) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, target + ": metadata key " + key + " is set twice");
    }
    return keyValues.string(key).i32(type.number());
  }

  private void array(String key, MetadataType element, long count) {
    key(key, MetadataType.ARRAY).i32(element.number()).i64(count);
  }

  private void requireDeclaring() {
    if (dataStart >= 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, target + ": declare everything before begin()");
    }
  }

  private void requireWritten(String name, Entry entry) {
    if (dataStart < 0 || entry.written().get() != entry.bytes()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%s: %d of %d bytes of tensor %s were written"
              .formatted(target, entry.written().get(), entry.bytes(), name));
    }
  }

  private void requireRoom() {
    try {
      long free = Files.getFileStore(temporary).getUsableSpace();
      if (free < dataBytes()) {
        throw new ConsortException(
            ErrorCode.IO,
            "%s: needs %d MiB, found %d MiB free; choose another folder or a smaller model"
                .formatted(target, dataBytes() >> 20, free >> 20));
      }
    } catch (IOException e) {
      throw failed(target, "can't be written", e);
    }
  }

  private void writeAt(ByteBuffer bytes, long position) {
    try {
      long at = position;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw failed(target, "can't be written", e);
    }
  }

  private static ConsortException failed(Path path, String what, IOException cause) {
    return new ConsortException(
        ErrorCode.IO,
        "%s: %s (%s); check the folder's rights and free space".formatted(path, what, cause),
        cause);
  }
}
