// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The stream form of a sequence. All numbers are little-endian:
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>byte</th><th>content</th></tr>
 * <tr><td>0</td><td>the letters {@code CONSORTK}</td></tr>
 * <tr><td>8</td><td>I32 version, 1</td></tr>
 * <tr><td>12</td><td>I32 N, number of tokens</td></tr>
 * <tr><td>16, 20</td><td>I32 types of the keys and values, GGUF's numbers</td></tr>
 * <tr><td>24</td><td>I64 bytes of all rows</td></tr>
 * <tr><td>32</td><td>32 bytes, {@link ModelFingerprint}</td></tr>
 * <tr><td>64</td><td>I32 [N], token ids</td></tr>
 * <tr><td>then</td><td>for each layer the N rows of its keys, then those of its values, in the order
 *     of the tokens; a row is what the cache holds of a token, all heads together</td></tr>
 * <tr><td>then</td><td>I32 CRC-32C of everything before</td></tr>
 * </table>
 *
 * <p>Nothing in it depends on the devices or the split it was saved under.
 */
final class SavedCache {
  static final int HEAD_BYTES = 64;
  private static final long MAGIC = 0x4b54524f534e4f43L;
  private static final int VERSION = 1;

  private SavedCache() {}

  /**
   * What stands before the tokens.
   *
   * @param rowBytes of all rows
   */
  record Head(int tokens, DataType keys, DataType values, long rowBytes, byte[] fingerprint) {
    ByteBuffer encoded() {
      return buffer(HEAD_BYTES)
          .putLong(MAGIC)
          .putInt(VERSION)
          .putInt(tokens)
          .putInt(keys.ggufId())
          .putInt(values.ggufId())
          .putLong(rowBytes)
          .put(fingerprint)
          .flip();
    }

    /** Reads what another head must equal, telling the difference in words. */
    static int requireTokens(String name, ByteBuffer found, Head expected, int most) {
      require(name, found.getLong() == MAGIC, "another file", "a saved cache", "check the name");
      int version = found.getInt();
      require(name, version == VERSION, "version " + version, "version 1", "save it again");
      int tokens = found.getInt();
      require(name, tokens >= 1, tokens + " tokens", "at least one", "save it again");
      types(name, found.getInt(), found.getInt(), expected);
      long bytes = found.getLong();
      byte[] fingerprint = new byte[ModelFingerprint.BYTES];
      found.get(fingerprint);
      require(
          name,
          Arrays.equals(fingerprint, expected.fingerprint),
          "the cache of another model",
          "one saved with this model",
          "name the model it was saved with, or read the prompt anew");
      require(
          name,
          bytes == expected.rowBytes * tokens,
          bytes + " bytes of rows",
          expected.rowBytes * tokens + " for its " + tokens + " tokens",
          "save it again");
      if (tokens > most) {
        throw new ConsortException(
            ErrorCode.OUT_OF_MEMORY,
            "%s: holds %d tokens, but only %d cells of the context are free; start with a larger one"
                    .formatted(name, tokens, most)
                + " (-c)");
      }
      return tokens;
    }

    private static void types(String name, int keys, int values, Head expected) {
      require(
          name,
          keys == expected.keys.ggufId() && values == expected.values.ggufId(),
          "a cache of types %s and %s".formatted(label(keys), label(values)),
          "%s and %s".formatted(expected.keys.label(), expected.values.label()),
          "give the types it was saved with (-ctk, -ctv)");
    }

    private static String label(int id) {
      return Arrays.stream(DataType.values())
          .filter(type -> type.ggufId() == id)
          .map(DataType::label)
          .findFirst()
          .orElse("number " + id);
    }
  }

  /** Writes and sums up. */
  static final class Output {
    private final WritableByteChannel channel;
    private final CRC32C sum = new CRC32C();

    Output(WritableByteChannel channel) {
      this.channel = channel;
    }

    void write(ByteBuffer bytes) throws IOException {
      sum.update(bytes.duplicate());
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }

    void finish() throws IOException {
      write(buffer(Integer.BYTES).putInt((int) sum.getValue()).flip());
    }
  }

  /** Reads and sums up. */
  static final class Input {
    private final String name;
    private final ReadableByteChannel channel;
    private final CRC32C sum = new CRC32C();
    private long done;

    Input(String name, ReadableByteChannel channel) {
      this.name = name;
      this.channel = channel;
    }

    ByteBuffer read(int bytes) throws IOException {
      ByteBuffer buffer = buffer(bytes);
      read(buffer);
      return buffer;
    }

    /** Fills a buffer and turns it round. */
    void read(ByteBuffer buffer) throws IOException {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer) < 0) {
          throw new EOFException(
              "it ends at byte %d, %d more were expected"
                  .formatted(done + buffer.position(), buffer.remaining()));
        }
      }
      buffer.flip();
      done += buffer.remaining();
      sum.update(buffer.duplicate());
    }

    void finish() throws IOException {
      int expected = (int) sum.getValue();
      int found = read(Integer.BYTES).getInt();
      require(
          name,
          found == expected,
          "checksum %08x".formatted(found),
          "%08x".formatted(expected),
          "the file is damaged, save it again");
      require(
          name,
          channel.read(ByteBuffer.allocate(1)) < 0,
          "more than " + done + " bytes",
          "no more",
          "save it again");
    }
  }

  static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static void require(String name, boolean holds, String found, String expected, String advice) {
    if (!holds) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: found %s, expected %s; %s".formatted(name, found, expected, advice));
    }
  }
}
