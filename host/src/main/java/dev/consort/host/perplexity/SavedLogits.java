// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The file of logits that llama-perplexity writes and reads, little-endian: {@code _logits_}, I32
 * tokens of a window, I32 vocabulary, I32 windows, their tokens, then for each scored position F32
 * step, F32 least, and U16 [vocabulary] (one more if that is odd): the logarithm of a probability
 * is {@code step * value + least}, none is less than the greatest minus 16.
 */
public final class SavedLogits implements AutoCloseable {
  private static final String MAGIC = "_logits_";
  private static final int HEAD_BYTES = 20;
  private static final int STEPS = 65_535;
  private static final float RANGE = 16;

  private final Path path;
  private final FileChannel channel;
  private final Windows windows;
  private final int vocabulary;
  private final ByteBuffer row;

  private SavedLogits(Path path, FileChannel channel, Windows windows, int vocabulary) {
    this.path = path;
    this.channel = channel;
    this.windows = windows;
    this.vocabulary = vocabulary;
    this.row = buffer(rowBytes(vocabulary));
  }

  /**
   * Opens a file; its windows have the second halves scored.
   *
   * @param begin the token that takes the place of each window's first, or -1
   * @throws ConsortException NOT_FOUND, IO, INVALID_FILE; INVALID_ARGUMENT if another vocabulary is
   *     expected
   */
  public static SavedLogits open(Path path, int vocabulary, int begin) {
    if (!Files.isRegularFile(path)) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, path + ": no such file, expected saved logits; check the path");
    }
    @Nullable FileChannel channel = null;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
      return new SavedLogits(path, channel, head(path, channel, vocabulary, begin), vocabulary);
    } catch (IOException e) {
      close(channel);
      throw failed(path, e);
    } catch (RuntimeException e) {
      close(channel);
      throw e;
    }
  }

  private static Windows head(Path path, FileChannel channel, int vocabulary, int begin)
      throws IOException {
    long size = channel.size();
    ByteBuffer head = buffer(HEAD_BYTES);
    require(path, size >= HEAD_BYTES, size + " bytes", "saved logits; check the name");
    read(channel, head);
    byte[] magic = new byte[MAGIC.length()];
    head.get(magic);
    require(
        path,
        MAGIC.equals(new String(magic, StandardCharsets.ISO_8859_1)),
        "another file",
        "saved logits; check the name");
    int length = head.getInt();
    int found = head.getInt();
    int count = head.getInt();
    if (found != vocabulary) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%s: found logits of %d tokens, the model has %d; save those of a model with its vocabulary"
              .formatted(path, found, vocabulary));
    }
    require(
        path,
        length >= 4 && count >= 1,
        "%d windows of %d tokens".formatted(count, length),
        "at least one of 4; save them again");
    long texts = (long) length * count;
    long rows = (length - 1 - length / 2) * (long) count;
    require(
        path,
        texts < size && size == HEAD_BYTES + 4 * texts + rows * rowBytes(vocabulary),
        size + " bytes",
        "%d windows of %d tokens, complete; save them again".formatted(count, length));
    ByteBuffer tokens = buffer(Math.toIntExact(4 * texts));
    read(channel, tokens);
    int[] ids = new int[(int) texts];
    tokens.asIntBuffer().get(ids);
    for (int id : ids) {
      require(path, id >= 0 && id < vocabulary, "token " + id, "0 to " + (vocabulary - 1));
    }
    return new Windows(ids, length, length, count, length / 2, begin);
  }

  public Windows windows() {
    return windows;
  }

  /** The logarithms of the next scored position's probabilities. */
  float[] next() {
    try {
      read(channel, row.clear());
    } catch (IOException e) {
      throw failed(path, e);
    }
    float step = row.getFloat();
    float least = row.getFloat();
    float[] logarithms = new float[vocabulary];
    for (int i = 0; i < vocabulary; i++) {
      logarithms[i] = step * Short.toUnsignedInt(row.getShort()) + least;
    }
    return logarithms;
  }

  @Override
  public void close() {
    close(channel);
  }

  /** The bytes before the rows. */
  public static byte[] encodeHead(Windows windows, int vocabulary) {
    int tokens = windows.length() * windows.count();
    ByteBuffer head = buffer(HEAD_BYTES + Integer.BYTES * tokens);
    head.put(MAGIC.getBytes(StandardCharsets.ISO_8859_1));
    head.putInt(windows.length()).putInt(vocabulary).putInt(windows.count());
    head.asIntBuffer().put(Arrays.copyOf(windows.tokens(), tokens));
    return head.array();
  }

  /** The bytes of a row. */
  public static byte[] encode(MemorySegment logits) {
    LogSoftmax softmax = LogSoftmax.of(logits);
    int vocabulary = (int) (logits.byteSize() / Float.BYTES);
    float least = Math.max(softmax.least(), softmax.most() - RANGE);
    float step = (softmax.most() - least) / STEPS;
    ByteBuffer row = buffer(rowBytes(vocabulary));
    row.putFloat(step).putFloat((float) (least - softmax.norm()));
    for (int i = 0; i < vocabulary; i++) {
      float over = LogSoftmax.at(logits, i) - least;
      row.putShort((short) (over > 0 && step > 0 ? Math.rint(over / step) : 0));
    }
    return row.array();
  }

  private static int rowBytes(int vocabulary) {
    return 8 + 2 * (vocabulary + vocabulary % 2);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void read(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
    buffer.flip();
  }

  private static void close(@Nullable FileChannel file) {
    try {
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      // Only reading: nothing is lost.
    }
  }

  private static void require(Path path, boolean holds, String found, String expected) {
    if (!holds) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE, "%s: found %s, expected %s".formatted(path, found, expected));
    }
  }

  private static ConsortException failed(Path path, IOException cause) {
    return new ConsortException(
        ErrorCode.IO, "%s: can't be read (%s); check its rights".formatted(path, cause), cause);
  }
}
