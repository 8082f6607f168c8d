// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;

/**
 * Which parts of a text are fed and which of their tokens are scored, as llama-perplexity has it.
 *
 * @param tokens the text
 * @param length tokens of a window
 * @param step tokens from the start of one window to that of the next
 * @param count windows
 * @param first the first position in a window whose logits are scored, by the token after it; the
 *     last is {@code length - 2}
 * @param begin the token that takes the place of each window's first, or -1
 */
public record Windows(int[] tokens, int length, int step, int count, int first, int begin) {

  /**
   * Windows beside each other, whose second halves are scored.
   *
   * @param most windows; negative for all
   */
  public static Windows halves(int[] tokens, int length, int most, int begin) {
    require(length >= 4, "windows of " + length + " tokens", "at least 4 (-c)");
    requireText(tokens, length);
    return new Windows(
        tokens, length, length, least(tokens.length / length, most), length / 2, begin);
  }

  /**
   * Overlapping windows of {@code length + stride / 2} tokens, of each of which the last {@code
   * stride} tokens are scored.
   */
  public static Windows strided(int[] tokens, int length, int stride, int most) {
    int whole = length + stride / 2;
    require(
        stride >= 1 && stride < whole,
        "a stride of %d tokens with windows of %d".formatted(stride, whole),
        "1 to " + (whole - 1));
    requireText(tokens, whole);
    int count = (tokens.length - whole + stride - 1) / stride;
    return new Windows(tokens, whole, stride, least(count, most), whole - stride - 1, -1);
  }

  /** Tokens that are scored in each window. */
  public int scored() {
    return length - 1 - first;
  }

  /** What is fed at a position of a window. */
  int fed(int window, int position) {
    return position == 0 && begin >= 0 ? begin : token(window, position);
  }

  /** What the text has at a position of a window. */
  int token(int window, int position) {
    return tokens[window * step + position];
  }

  private static int least(int there, int most) {
    return most < 0 ? there : Math.min(there, most);
  }

  private static void requireText(int[] tokens, int length) {
    require(
        tokens.length >= 2 * length,
        "a text of %d tokens".formatted(tokens.length),
        "at least %d, two windows; give a longer text or shorter windows (-c)"
            .formatted(2 * length));
  }

  private static void require(boolean holds, String found, String expected) {
    if (!holds) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "found %s, expected %s".formatted(found, expected));
    }
  }
}
