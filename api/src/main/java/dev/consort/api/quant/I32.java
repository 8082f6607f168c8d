// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;

/** Integers; decoding gives the nearest float. */
final class I32 extends Codec {
  I32() {
    super(DataType.I32);
  }

  @Override
  void decodeBlock(byte[] source, int from, float[] target, int to) {
    target[to] = Bytes.i32(source, from);
  }
}
