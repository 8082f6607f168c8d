// SPDX-License-Identifier: Apache-2.0
package dev.consort.model;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import dev.consort.api.quant.Codec;
import dev.consort.model.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The token embedding, left in the mapped file: the rows that a batch needs are decoded from there.
 * Thread safe; allocates nothing.
 */
public final class TokenEmbedding {
  private final Codec codec;
  private final MemorySegment data;
  private final int width;
  private final int rows;
  private final long rowBytes;
  private final float[] zeros;

  /** The table {@code [width, rows]}, of any type. */
  public TokenEmbedding(GgufTensor table) {
    DataType type = table.type();
    Shape shape = table.shape();
    this.codec = Codec.of(type);
    this.data = table.data();
    this.width = Math.toIntExact(shape.ne0());
    this.rows = Math.toIntExact(shape.ne1());
    this.rowBytes = type.bytes(width);
    this.zeros = new float[width];
  }

  /** Floats in a row. */
  public int width() {
    return width;
  }

  /** Number of tokens. */
  public int rows() {
    return rows;
  }

  /** Bytes of one decoded row. */
  public long bytes() {
    return (long) width * Float.BYTES;
  }

  /**
   * Brings the table into memory, where it is a mapped file: while it is not, a token may have to
   * wait for the disk. Blocks; a tenth of a millisecond a megabyte when the file is cached.
   */
  public void load() {
    if (data.isMapped()) {
      data.load();
    }
  }

  /**
   * Decodes the row of a token; a negative token gives zeros.
   *
   * @param target gets {@link #bytes} bytes of F32 in the machine's order from {@code offset} on
   * @throws ConsortException INVALID_ARGUMENT if the token is not in the vocabulary
   */
  public void row(int token, MemorySegment target, long offset) {
    if (token >= rows) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found token id %d, expected 0 to %d; the model has %d tokens"
              .formatted(token, rows - 1, rows));
    }
    if (token < 0) {
      MemorySegment.copy(zeros, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, width);
      return;
    }
    codec.decode(data, token * rowBytes, target, offset, width);
  }
}
