// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

/** The kinds of tokens; the numbers in files are the ordinals. */
enum TokenType {
  UNDEFINED,
  NORMAL,
  UNKNOWN,
  CONTROL,
  USER_DEFINED,
  UNUSED,
  BYTE;

  private static final TokenType[] ALL = values();

  static TokenType of(int number) {
    return number >= 0 && number < ALL.length ? ALL[number] : UNDEFINED;
  }
}
