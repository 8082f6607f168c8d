// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** IEEE half precision; encoding rounds to nearest even. */
final class F16 extends Codec {
  F16() {
    super(DataType.F16);
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
    target[to] = Bytes.f16(source, from);
  }

  @Override
  void encodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    Bytes.f16(target, to, Bytes.f32(source, from));
  }
}
