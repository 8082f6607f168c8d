// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Pipelines;
import java.util.Arrays;

/** The push constants of one dispatch, in the order of the shader's block. */
final class Push {
  private final int[] words = new int[Pipelines.PUSH_BYTES / 4];
  private int count;

  /** A device address; these come first in every block, so that they are aligned. */
  Push address(long value) {
    words[count++] = (int) value;
    words[count++] = (int) (value >>> 32);
    return this;
  }

  /** Unsigned 32-bit values, checked. */
  Push u32(long... values) {
    for (long value : values) {
      if (value < 0 || value > 0xffffffffL) {
        throw new IllegalArgumentException(value + " is no unsigned 32-bit number");
      }
      words[count++] = (int) value;
    }
    return this;
  }

  Push f32(float value) {
    words[count++] = Float.floatToRawIntBits(value);
    return this;
  }

  int[] words() {
    return Arrays.copyOf(words, count);
  }
}
