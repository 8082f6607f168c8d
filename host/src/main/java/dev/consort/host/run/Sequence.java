// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * One conversation: tokens that see each other, in the cache of an {@link Engine}. Not thread safe;
 * all sequences of an engine belong to one caller. Once closed, it throws CLOSED.
 */
public final class Sequence implements AutoCloseable {
  private final Engine engine;
  private final int id;
  private final Batch batch = new Batch(1);
  private final int[] tokens;
  private int length;
  private boolean closed;

  Sequence(Engine engine, int id) {
    this.engine = engine;
    this.id = id;
    this.tokens = new int[engine.context()];
  }

  /** How many tokens it has. */
  public int length() {
    return length;
  }

  /** Its number in {@link Batch#add}: bit {@code 1 << id()}. */
  public int id() {
    return id;
  }

  /**
   * Appends a token and returns what may follow: F32 logits [vocabulary], valid until the engine's
   * next evaluation.
   */
  public MemorySegment append(int token) {
    requireOpen();
    batch.clear();
    batch.add(token, length, 1 << id, true);
    engine.evaluate(batch);
    tokens[length++] = token;
    return engine.logits(0);
  }

  /**
   * Appends tokens; the logits are those after the last one.
   *
   * @throws ConsortException INVALID_ARGUMENT if there are none, and as {@link Engine#evaluate}
   */
  public MemorySegment append(int[] tokens) {
    requireOpen();
    if (tokens.length == 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "found no tokens to append, expected at least one");
    }
    batch.clear();
    for (int i = 0; i < tokens.length; i++) {
      batch.add(tokens[i], length + i, 1 << id, i == tokens.length - 1);
    }
    engine.evaluate(batch);
    remember(tokens);
    return engine.logits(0);
  }

  /** Appends tokens and gives the logits after each: row {@code i} is {@code engine.logits(i)}. */
  public void appendAll(int[] tokens) {
    requireOpen();
    batch.clear();
    for (int i = 0; i < tokens.length; i++) {
      batch.add(tokens[i], length + i, 1 << id, true);
    }
    engine.evaluate(batch);
    remember(tokens);
  }

  /** The ids of its tokens. */
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  /**
   * Keeps as many of its first tokens as the given ones begin with too, and forgets the rest; of
   * the given ones at least one is left to append, so that there are logits.
   *
   * @return how many are kept: append those from there on
   */
  public int reuse(int[] next) {
    int most = Math.min(length, next.length - 1);
    int common = 0;
    while (common < most && tokens[common] == next[common]) {
      common++;
    }
    truncate(Math.max(0, common));
    return length;
  }

  /**
   * Writes its tokens with what the caches hold of them, for {@link Engine#restore(Path)} on these
   * or any other devices. The file appears under its name when it is complete. Blocks.
   *
   * @throws ConsortException INVALID_ARGUMENT if it is empty, IO
   */
  public void save(Path file) {
    Path absolute = file.toAbsolutePath();
    Path partial =
        absolute.resolveSibling(
            ".%s.%d.part".formatted(absolute.getFileName(), ProcessHandle.current().pid()));
    try {
      try (FileChannel channel =
          FileChannel.open(
              partial,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        write(channel);
      }
      Files.move(
          partial, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw CacheStore.failed(file.toString(), e);
    } finally {
      delete(partial);
    }
  }

  /** As above, to a channel; {@code name} is what errors call it. */
  public void save(WritableByteChannel channel, String name) {
    try {
      write(channel);
    } catch (IOException e) {
      throw CacheStore.failed(name, e);
    }
  }

  private void write(WritableByteChannel channel) throws IOException {
    requireOpen();
    engine.store().save(id, tokens, length, channel);
  }

  private static void delete(Path partial) {
    try {
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      throw CacheStore.failed(partial.toString(), e);
    }
  }

  /** Has these tokens, which are in the cache already. */
  void took(int[] restored) {
    remember(restored);
  }

  private void remember(int[] appended) {
    System.arraycopy(appended, 0, tokens, length, appended.length);
    length += appended.length;
  }

  /**
   * Forgets the tokens from position {@code length} on.
   *
   * @throws ConsortException INVALID_ARGUMENT if that is below 0
   */
  public void truncate(int length) {
    requireOpen();
    if (length < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "found length %d, expected 0 or more".formatted(length));
    }
    engine.forget(id, length);
    this.length = Math.min(this.length, length);
  }

  /** A new sequence that begins with all tokens of this one; they share the cells. */
  public Sequence fork() {
    requireOpen();
    Sequence other = engine.sequence();
    engine.share(id, other.id, length);
    other.length = length;
    System.arraycopy(tokens, 0, other.tokens, 0, length);
    return other;
  }

  /** Its number may be another sequence's by now. */
  private void requireOpen() {
    if (closed) {
      throw new ConsortException(
          ErrorCode.CLOSED, "the sequence was closed before; ask the engine for another one");
    }
  }

  /** Frees its cells. Closing twice does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      engine.release(id);
    }
  }
}
