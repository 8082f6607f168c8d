// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import java.lang.foreign.MemorySegment;

/** The part of encoding that Q4_K and Q5_K share: head (d, dmin, scales, minimums) and levels. */
final class KEncoder {
  static final int SCALES = 4;
  private static final int MOST = 63;

  private KEncoder() {}

  /** Writes the block's first 16 bytes and returns the level of each of its 256 elements. */
  static int[] encode(MemorySegment source, long from, MemorySegment target, long to, int levels) {
    float[][] x = new float[KScales.GROUPS][KScales.SIZE];
    AffineFit[] fits = new AffineFit[KScales.GROUPS];
    float mostScale = 0;
    float mostMin = 0;
    for (int group = 0; group < KScales.GROUPS; group++) {
      for (int i = 0; i < KScales.SIZE; i++) {
        x[group][i] = Bytes.f32(source, from + 4L * (group * KScales.SIZE + i));
      }
      fits[group] = AffineFit.of(x[group], levels);
      mostScale = Math.max(mostScale, fits[group].scale());
      mostMin = Math.max(mostMin, fits[group].min());
    }
    float d = Bytes.f16(target, to, mostScale / MOST);
    float dmin = Bytes.f16(target, to + 2, mostMin / MOST);
    int[] scales = new int[KScales.GROUPS];
    int[] mins = new int[KScales.GROUPS];
    int[] result = new int[KScales.GROUPS * KScales.SIZE];
    for (int group = 0; group < KScales.GROUPS; group++) {
      scales[group] = sixBits(fits[group].scale(), d);
      mins[group] = sixBits(fits[group].min(), dmin);
      AffineFit rounded = new AffineFit(d * scales[group], dmin * mins[group]);
      for (int i = 0; i < KScales.SIZE; i++) {
        result[group * KScales.SIZE + i] = rounded.level(x[group][i], levels);
      }
    }
    KScales.pack(target, to + SCALES, scales, mins);
    return result;
  }

  private static int sixBits(float x, float unit) {
    return unit == 0 ? 0 : Codec.clamp(Codec.round(x / unit), 0, MOST);
  }
}
