// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Experimental;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Turns stored elements of one data type into F32 and, for the types that say so, back. Elements
 * are consecutive along axis 0. Stateless and thread safe; decoding allocates 16 KiB once a thread
 * and nothing else.
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

  /** What a thread decodes at a time; whole blocks of every type. */
  private static final class Scratch {
    static final int ELEMENTS = 2048;

    final byte[] blocks = new byte[ELEMENTS * Float.BYTES];
    final float[] values = new float[ELEMENTS];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

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

  /** Through arrays: loops over segments are slow until the optimising compiler has seen them. */
  void decodeRun(MemorySegment source, long from, MemorySegment target, long to, long elements) {
    Scratch scratch = SCRATCH.get();
    for (long done = 0; done < elements; done += Scratch.ELEMENTS) {
      int count = (int) Math.min(Scratch.ELEMENTS, elements - done);
      int bytes = (int) type.bytes(count);
      MemorySegment.copy(
          source, ValueLayout.JAVA_BYTE, from + type.bytes(done), scratch.blocks, 0, bytes);
      decodeBlocks(scratch.blocks, scratch.values, count);
      MemorySegment.copy(scratch.values, 0, target, Bytes.FLOAT, to + Float.BYTES * done, count);
    }
  }

  void decodeBlocks(byte[] source, float[] target, int elements) {
    int blockElements = type.blockElements();
    int blockBytes = type.blockBytes();
    for (int i = 0, at = 0; i < elements; i += blockElements, at += blockBytes) {
      decodeBlock(source, at, target, i);
    }
  }

  abstract void decodeBlock(byte[] source, int from, float[] target, int to);

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
