// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Locale;

/**
 * How the elements of a tensor are laid out in memory. Quantised types are stored in blocks of
 * {@link #blockElements()} consecutive elements along axis 0; names, numbers and layouts are
 * GGUF's.
 */
@Stable(since = "1.0")
public enum DataType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  IQ4_NL(20, 32, 18),
  IQ4_XS(23, 256, 136),
  I32(26, 1, 4),
  BF16(30, 1, 2),
  MXFP4(39, 32, 17);

  private final int ggufId;
  private final int blockElements;
  private final int blockBytes;

  DataType(int ggufId, int blockElements, int blockBytes) {
    this.ggufId = ggufId;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /** The number that stands for this type in a GGUF file. */
  public int ggufId() {
    return ggufId;
  }

  /** Elements in one block; 1 for types that are not quantised. */
  public int blockElements() {
    return blockElements;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Whether several elements share one block. */
  public boolean isQuantized() {
    return blockElements > 1;
  }

  /**
   * Bytes of {@code elements} consecutive elements.
   *
   * @throws ConsortException INVALID_ARGUMENT if that is no whole number of blocks
   */
  public long bytes(long elements) {
    if (elements % blockElements != 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%d elements of type %s are no whole number of blocks of %d"
              .formatted(elements, label(), blockElements));
    }
    return Math.multiplyExact(elements / blockElements, (long) blockBytes);
  }

  /** The name people write: {@code q4_k}, {@code f16}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The type of a GGUF number.
   *
   * @throws ConsortException UNSUPPORTED for a number no type here has
   */
  public static DataType ofGguf(int id) {
    for (DataType type : values()) {
      if (type.ggufId == id) {
        return type;
      }
    }
    throw new ConsortException(ErrorCode.UNSUPPORTED, "unknown GGUF data type " + id);
  }
}
