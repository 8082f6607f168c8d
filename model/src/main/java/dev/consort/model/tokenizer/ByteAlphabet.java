// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The printable characters that byte-level BPE writes bytes as (Radford et al., 2019): bytes that
 * are printable in Latin-1 stand for themselves, the others for U+0100 onwards in order.
 */
final class ByteAlphabet {
  private static final int SIZE = 256;
  private static final char[] CHARS = new char[SIZE];
  private static final short[] BYTES = new short[2 * SIZE];

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = SIZE;
    for (int b = 0; b < SIZE; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
      CHARS[b] = printable ? (char) b : next++;
      BYTES[CHARS[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  static char character(int b) {
    return CHARS[b];
  }

  /** The bytes of a text, written in the alphabet, in UTF-8. */
  static byte[] write(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    var written = new StringBuilder(utf8.length);
    for (byte b : utf8) {
      written.append(CHARS[b & 0xff]);
    }
    return written.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** What {@link #write} was given; characters outside the alphabet stay as they are. */
  static byte[] read(String written) {
    byte[] bytes = new byte[written.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = written.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return written.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }
}
