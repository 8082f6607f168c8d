// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Writes weights in another data type than the file's, for members that don't multiply that. */
final class Recoding {
  private static final int CHUNK = 1 << 16;

  private Recoding() {}

  /**
   * The types that can stand for another, smallest first. F16 rounds what block types decode to by
   * less than they were quantised by; types whose exponents F16 hasn't go to BF16, which holds
   * every MXFP4, or to F32.
   */
  static List<DataType> alternatives(DataType type) {
    return switch (type) {
      case F32, I32 -> List.of();
      case F16, BF16 -> List.of(DataType.F32);
      case MXFP4 -> List.of(DataType.BF16, DataType.F32);
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS ->
          List.of(DataType.F16, DataType.F32);
    };
  }

  /**
   * Cuts a member's piece out of a whole weight and writes it in the type of the piece.
   *
   * @param from the bytes of the whole
   * @param rectangles the piece's bytes as if it had the type of the whole
   * @throws ConsortException INVALID_FILE if an element is too large for the piece's type
   */
  static void write(
      Tensor whole, MemorySegment from, Rectangle[] rectangles, DataType to, MemorySegment piece) {
    DataType type = whole.type();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment floats = arena.allocate(Float.BYTES * (long) CHUNK, 64);
      for (Rectangle r : rectangles) {
        for (long row = 0; row < r.rows(); row++) {
          long source = r.fullOffset() + row * r.fullStride();
          long first = elements(type, r.localOffset() + row * r.localStride());
          long count = elements(type, r.rowBytes());
          for (long done = 0; done < count; done += CHUNK) {
            long n = Math.min(CHUNK, count - done);
            Codec.of(type).decode(from, source + type.bytes(done), floats, 0, n);
            Codec.of(to).encode(floats, 0, piece, to.bytes(first + done), n);
            if (to == DataType.F16) {
              requireInRange(whole, floats, n);
            }
          }
        }
      }
    }
  }

  private static long elements(DataType type, long bytes) {
    return bytes / type.blockBytes() * type.blockElements();
  }

  private static void requireInRange(Tensor whole, MemorySegment floats, long count) {
    for (long i = 0; i < count; i++) {
      float x = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (Math.abs(x) >= 65520 && !Float.isInfinite(x)) {
        throw new ConsortException(
            ErrorCode.INVALID_FILE,
            "found %s in %s, expected at most 65504 for the f16 that a member needs; leave it out"
                .formatted(x, whole));
      }
    }
  }
}
