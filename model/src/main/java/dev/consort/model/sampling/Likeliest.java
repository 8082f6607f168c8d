// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The shortest way to the likeliest token: two passes that the compiler can vectorise. */
final class Likeliest {
  static final int NONE = -1;

  private final float[] logits;

  Likeliest(int vocabulary) {
    this.logits = new float[vocabulary];
  }

  /** The first of the largest logits; NONE if there is no largest, as with a NaN among them. */
  int find(MemorySegment source, long offset) {
    MemorySegment.copy(source, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, logits, 0, logits.length);
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.length; i++) {
      most = Math.max(most, logits[i]);
    }
    for (int i = 0; most > Float.NEGATIVE_INFINITY && i < logits.length; i++) {
      if (logits[i] == most) {
        return i;
      }
    }
    return NONE;
  }
}
