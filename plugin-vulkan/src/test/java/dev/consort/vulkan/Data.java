// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Random;

/** Random tensors as bytes and as numbers. */
final class Data {
  /** Where a block has its F16 scales. */
  private static final Map<DataType, int[]> SCALES =
      Map.ofEntries(
          Map.entry(DataType.Q4_0, new int[] {0}),
          Map.entry(DataType.Q4_1, new int[] {0, 2}),
          Map.entry(DataType.Q5_0, new int[] {0}),
          Map.entry(DataType.Q5_1, new int[] {0, 2}),
          Map.entry(DataType.Q8_0, new int[] {0}),
          Map.entry(DataType.Q2_K, new int[] {80, 82}),
          Map.entry(DataType.Q3_K, new int[] {108}),
          Map.entry(DataType.Q4_K, new int[] {0, 2}),
          Map.entry(DataType.Q5_K, new int[] {0, 2}),
          Map.entry(DataType.Q6_K, new int[] {208}),
          Map.entry(DataType.IQ4_NL, new int[] {0}),
          Map.entry(DataType.IQ4_XS, new int[] {0}));

  private Data() {}

  static byte[] bytes(float... values) {
    ByteBuffer buffer = little(new byte[values.length * 4]);
    buffer.asFloatBuffer().put(values);
    return buffer.array();
  }

  static byte[] bytes(int... values) {
    ByteBuffer buffer = little(new byte[values.length * 4]);
    buffer.asIntBuffer().put(values);
    return buffer.array();
  }

  static float[] floats(byte[] bytes) {
    float[] values = new float[bytes.length / 4];
    little(bytes).asFloatBuffer().get(values);
    return values;
  }

  static int[] ints(byte[] bytes) {
    int[] values = new int[bytes.length / 4];
    little(bytes).asIntBuffer().get(values);
    return values;
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Random values of about unit size in the tensor's type. */
  static byte[] random(Tensor tensor, Random random) {
    int count = (int) tensor.shape().elements();
    DataType type = tensor.type();
    if (type.isQuantized()) {
      byte[] bytes = new byte[(int) type.bytes(count)];
      random.nextBytes(bytes);
      ByteBuffer buffer = little(bytes);
      for (int block = 0; block < bytes.length; block += type.blockBytes()) {
        for (int at : SCALES.getOrDefault(type, new int[0])) {
          float scale = (random.nextFloat() + 0.1f) * (random.nextBoolean() ? 0.01f : -0.01f);
          buffer.putShort(block + at, Float.floatToFloat16(scale));
        }
        if (type == DataType.MXFP4) {
          bytes[block] = (byte) (118 + random.nextInt(10));
        }
      }
      return bytes;
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return encode(type, values);
  }

  static byte[] encode(DataType type, float[] values) {
    ByteBuffer buffer = little(new byte[(int) type.bytes(values.length)]);
    for (float value : values) {
      switch (type) {
        case F32 -> buffer.putFloat(value);
        case F16 -> buffer.putShort(Float.floatToFloat16(value));
        case BF16 -> buffer.putShort(bf16(value));
        default -> throw new IllegalArgumentException(type.label());
      }
    }
    return buffer.array();
  }

  private static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }

  /** The tensor's elements as numbers, in order. */
  static double[] decode(DataType type, byte[] bytes) {
    if (type == DataType.I32) {
      int[] ints = ints(bytes);
      double[] values = new double[ints.length];
      for (int i = 0; i < ints.length; i++) {
        values[i] = ints[i];
      }
      return values;
    }
    int count = bytes.length / type.blockBytes() * type.blockElements();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(Math.max(1, bytes.length), 64);
      MemorySegment.copy(bytes, 0, source, ValueLayout.JAVA_BYTE, 0, bytes.length);
      MemorySegment target = arena.allocate(Math.max(1, count * 4L), 64);
      Codec.of(type).decode(source, 0, target, 0, count);
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = target.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
      return values;
    }
  }

  /** Squared error relative to the squared truth. */
  static double nmse(double[] found, double[] truth) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < truth.length; i++) {
      error += (found[i] - truth[i]) * (found[i] - truth[i]);
      size += truth[i] * truth[i];
    }
    return size == 0 ? error : error / size;
  }
}
