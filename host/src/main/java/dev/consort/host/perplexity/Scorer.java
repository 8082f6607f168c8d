// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import java.lang.foreign.MemorySegment;

/** Receives the logits of a window's scored positions. Called by one thread. */
public interface Scorer {
  /**
   * @param rows F32 [vocabulary] each, in order; valid during the call
   * @param next the token of the text after each
   */
  void score(MemorySegment[] rows, int[] next);

  /** All rows of a window were scored. */
  void windowDone(int window);
}
