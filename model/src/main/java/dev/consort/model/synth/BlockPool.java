// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.api.DataType;
import dev.consort.api.quant.Codec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * Encoded random weights to draw runs of blocks from: encoding billions of weights takes minutes,
 * and what a benchmark needs is that they are not all the same. Immutable after construction.
 */
final class BlockPool {
  private static final int ELEMENTS = 1 << 16;

  /** Bytes that are copied at once; short enough for rows to differ. */
  private static final int RUN_BYTES = 512;

  private final DataType type;
  private final MemorySegment blocks;
  private final int runBlocks;

  /** Normally distributed around {@code mean}. */
  BlockPool(DataType type, float mean, float deviation, long seed) {
    this.type = type;
    var random = new SplittableRandom(seed);
    float[] values = new float[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) {
      values[i] = mean + deviation * (float) random.nextGaussian();
    }
    this.blocks = Arena.ofAuto().allocate(type.bytes(ELEMENTS));
    Codec.of(type).encode(MemorySegment.ofArray(values), 0, blocks, 0, ELEMENTS);
    this.runBlocks = Math.max(1, RUN_BYTES / type.blockBytes());
  }

  /** Fills a segment of whole blocks; the same seed gives the same bytes. */
  void fill(MemorySegment target, long seed) {
    var random = new SplittableRandom(seed);
    int count = ELEMENTS / type.blockElements();
    int runBytes = runBlocks * type.blockBytes();
    for (long at = 0; at < target.byteSize(); at += runBytes) {
      long length = Math.min(runBytes, target.byteSize() - at);
      long from = (long) random.nextInt(count - runBlocks + 1) * type.blockBytes();
      MemorySegment.copy(blocks, from, target, at, length);
    }
  }
}
