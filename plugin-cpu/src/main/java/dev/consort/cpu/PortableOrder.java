// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;

/** In which order the units of a block lie in a panel: the one in which they are read. */
final class PortableOrder {
  private static final int[] Q6_K = q6k();

  private PortableOrder() {}

  /** For each unit of a block its place; a unit is two bytes. */
  static int[] of(DataType type) {
    return type == DataType.Q6_K ? Q6_K : asTheyAre(type.blockBytes() / 2);
  }

  private static int[] asTheyAre(int units) {
    int[] order = new int[units];
    for (int unit = 0; unit < units; unit++) {
      order[unit] = unit;
    }
    return order;
  }

  /**
   * The scale of scales, the scales, then of each half, and in it of the first and second sixteen
   * of each 32, two units with the lower bits and the one with their upper bits.
   */
  private static int[] q6k() {
    int[] order = new int[105];
    int next = 0;
    order[104] = next++;
    for (int scales = 0; scales < 8; scales++) {
      order[96 + scales] = next++;
    }
    for (int run = 0; run < 4; run++) {
      int half = run / 2;
      int part = run % 2;
      for (int unit = 0; unit < 8; unit++) {
        order[32 * half + 8 * part + unit] = next++;
        order[32 * half + 16 + 8 * part + unit] = next++;
        order[64 + 16 * half + 8 * part + unit] = next++;
      }
    }
    return order;
  }
}
