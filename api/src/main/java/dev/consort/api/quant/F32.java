// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** IEEE single precision, little-endian. */
final class F32 extends Codec {
  F32() {
    super(DataType.F32);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeRun(MemorySegment source, long from, MemorySegment target, long to, long elements) {
    MemorySegment.copy(
        source, Bytes.INT, from, target, ValueLayout.JAVA_INT_UNALIGNED, to, elements);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    target[to] = Float.intBitsToFloat(Bytes.i32(source, from));
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    Bytes.i32(target, to, Float.floatToRawIntBits(Bytes.f32(source, from)));
  }
}
