// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Experimental;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Turns stored elements of one data type into F32 and, for the types that say so, back. Elements
 * are consecutive along axis 0. Stateless and thread safe; allocates nothing when decoding.
 */
@Experimental(since = "1.0")
public abstract class Codec {
  private static final Map<DataType, Codec> ALL = new EnumMap<>(DataType.class);

  static {
    Codec[] codecs = {
      new F32(), new F16(), new Bf16(), new I32(), new Q4x0(), new Q4x1(), new Q5x0(), new Q5x1(),
      new Q8x0(), new Q2K(), new Q3K(), new Q4K(), new Q5K(), new Q6K(), new Iq4Nl(), new Iq4Xs(),
      new Mxfp4()
    };
    for (Codec codec : codecs) {
      ALL.put(codec.type(), codec);
    }
  }

  private final DataType type;

  Codec(DataType type) {
    this.type = type;
  }

  /** The codec of a type; every type has one. */
  public static Codec of(DataType type) {
    Codec codec = ALL.get(type);
    if (codec == null) {
      throw new ConsortException(ErrorCode.UNSUPPORTED, "type " + type.label() + " has no codec");
    }
    return codec;
  }

  public DataType type() {
    return type;
  }

  /** Whether {@link #encode} works. */
  public boolean encodes() {
    return false;
  }

  /**
   * Decodes elements to F32 in the machine's byte order.
   *
   * @param from byte of the first block in {@code source}
   * @param to byte of the first float in {@code target}
   * @param elements a multiple of the block
   */
  public final void decode(
      MemorySegment source, long from, MemorySegment target, long to, long elements) {
    type.bytes(elements);
    decodeRun(source, from, target, to, elements);
  }

  /**
   * Encodes F32 elements.
   *
   * @param from byte of the first float in {@code source}
   * @param to byte of the first block in {@code target}
   * @param elements a multiple of the block
   * @throws ConsortException UNSUPPORTED if {@link #encodes} is false
   */
  public final void encode(
      MemorySegment source, long from, MemorySegment target, long to, long elements) {
    if (!encodes()) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "type %s can't be written, expected one of %s"
              .formatted(
                  type.label(),
                  ALL.values().stream()
                      .filter(Codec::encodes)
                      .map(c -> c.type().label())
                      .collect(Collectors.joining(", "))));
    }
    long size = type.blockElements();
    long bytes = type.bytes(elements);
    for (long at = 0, in = from; at < bytes; at += type.blockBytes(), in += size * Float.BYTES) {
      encodeBlock(source, in, target, to + at);
    }
  }

  void decodeRun(MemorySegment source, long from, MemorySegment target, long to, long elements) {
    long size = type.blockElements();
    long bytes = type.bytes(elements);
    for (long at = 0, out = to; at < bytes; at += type.blockBytes(), out += size * Float.BYTES) {
      decodeBlock(source, from + at, target, out);
    }
  }

  abstract void decodeBlock(MemorySegment source, long from, MemorySegment target, long to);

  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    throw new UnsupportedOperationException(type.label());
  }

  /** Rounds to the nearest integer, halves away from zero. */
  static int round(float x) {
    return (int) (x + Math.copySign(0.5f, x));
  }

  static int clamp(int x, int least, int most) {
    return Math.max(least, Math.min(most, x));
  }
}
