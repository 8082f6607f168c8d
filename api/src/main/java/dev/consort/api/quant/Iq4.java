// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

/** The sixteen uneven levels of IQ4_NL and IQ4_XS. */
final class Iq4 {
  private static final int[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private Iq4() {}

  static int level(int nibble) {
    return LEVELS[nibble];
  }
}
