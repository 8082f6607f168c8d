// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What logits say of probabilities: the logarithm of token {@code i}'s is {@code logits[i] - norm}.
 *
 * @param norm the logarithm of the sum of the logits' exponentials
 */
record LogSoftmax(double norm, float most, float least, int likeliest) {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;

  static LogSoftmax of(MemorySegment logits) {
    int count = (int) (logits.byteSize() / Float.BYTES);
    float most = Float.NEGATIVE_INFINITY;
    float least = Float.POSITIVE_INFINITY;
    int likeliest = 0;
    for (int i = 0; i < count; i++) {
      float logit = at(logits, i);
      likeliest = logit > most ? i : likeliest;
      most = Math.max(most, logit);
      least = Math.min(least, logit);
    }
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += Math.exp(at(logits, i) - most);
    }
    return new LogSoftmax(most + Math.log(sum), most, least, likeliest);
  }

  static float at(MemorySegment logits, int i) {
    return logits.getAtIndex(F32, i);
  }
}
