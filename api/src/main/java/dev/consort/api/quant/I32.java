// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;

/** Integers; decoding gives the nearest float. */
final class I32 extends Codec {
  I32() {
    super(DataType.I32);
  }

  @Override
  void decodeBlock(MemorySegment source, long from, MemorySegment target, long to) {
    Bytes.f32(target, to, Bytes.i32(source, from));
  }
}
