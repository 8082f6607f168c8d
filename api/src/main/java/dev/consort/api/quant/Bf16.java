// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** The upper half of a single; encoding rounds to nearest even and keeps NaNs quiet. */
final class Bf16 extends Codec {
  Bf16() {
    super(DataType.BF16);
  }

  @Override
  public boolean encodes() {
    return true;
  }

  @Override
  void decodeBlocks(byte[] source, float[] target, int elements) {
    for (int i = 0; i < elements; i++) {
      decodeBlock(source, 2 * i, target, i);
    }
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    target[to] = Float.intBitsToFloat(Bytes.u16(source, from) << 16);
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    float x = Bytes.f32(source, from);
    int bits = Float.floatToRawIntBits(x);
    int upper = Float.isNaN(x) ? bits >>> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    target.set(Bytes.SHORT, to, (short) upper);
  }
}
