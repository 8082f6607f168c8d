// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

/** The upper half of an F32. */
public final class Bf16 {
  private Bf16() {}

  public static float toFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Rounds to nearest even; NaNs stay NaNs. */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /** The nearest value that has a BF16. */
  public static float round(float value) {
    return toFloat(fromFloat(value));
  }
}
