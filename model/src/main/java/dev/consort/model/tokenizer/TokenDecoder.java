// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Decodes tokens as they come. Characters that are split over tokens are held back until they are
 * complete; bytes that are no UTF-8 become U+FFFD. Not thread safe.
 */
public final class TokenDecoder {
  private final Pieces pieces;
  private byte[] held = new byte[64];
  private int length;

  /** Where the bytes of tokens come from. */
  interface Pieces {
    /** The bytes that a token stands for in text. */
    byte[] bytes(int id);
  }

  TokenDecoder(Pieces pieces) {
    this.pieces = pieces;
  }

  /** The characters that this token completes. */
  public String append(int id) {
    byte[] piece = pieces.bytes(id);
    if (length + piece.length > held.length) {
      held = Arrays.copyOf(held, 2 * (length + piece.length));
    }
    System.arraycopy(piece, 0, held, length, piece.length);
    length += piece.length;
    return take(complete());
  }

  /** What is left when no more tokens come. */
  public String finish() {
    return take(length);
  }

  private String take(int count) {
    String text = new String(held, 0, count, StandardCharsets.UTF_8);
    System.arraycopy(held, count, held, 0, length - count);
    length -= count;
    return text;
  }

  /** Bytes before a character at the end that needs more. */
  private int complete() {
    for (int back = 1; back <= Math.min(3, length); back++) {
      int b = held[length - back] & 0xff;
      if (b >= 0xc0) {
        return Utf8.length(b) > back ? length - back : length;
      }
      if (b < 0x80) {
        return length;
      }
    }
    return length;
  }
}
