// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import java.lang.foreign.MemorySegment;

/** Even steps from the least of some values to the greatest, as types with a minimum store them. */
record Span(float least, float step, int levels) {

  /**
   * @param from byte of the first float
   * @param levels the number of the last step
   */
  static Span of(MemorySegment source, long from, int count, int levels) {
    float least = Bytes.f32(source, from);
    float most = least;
    for (int i = 1; i < count; i++) {
      float x = Bytes.f32(source, from + 4L * i);
      least = Math.min(least, x);
      most = Math.max(most, x);
    }
    return new Span(least, (most - least) / levels, levels);
  }

  /** The step that is nearest to a value. */
  int level(float x) {
    return step == 0 ? 0 : Codec.clamp(Codec.round((x - least) / step), 0, levels);
  }
}
