// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

/** Lengths of UTF-8 sequences. */
final class Utf8 {
  private Utf8() {}

  /** Bytes of the character that begins with {@code lead}; 1 for a byte that begins none. */
  static int length(int lead) {
    if (lead >= 0xf0) {
      return lead >= 0xf8 ? 1 : 4;
    }
    return lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  }
}
