// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Operation;

/** Elementwise functions; GELU is the tanh approximation. */
final class PortableMath {
  private static final float SQRT_2_OVER_PI = 0.7978845608028654f;

  private PortableMath() {}

  static float unary(Operation.Unary.Kind kind, float x) {
    return switch (kind) {
      case SILU -> x * sigmoid(x);
      case GELU -> gelu(x);
      case GELU_QUICK -> x * sigmoid(1.702f * x);
      case RELU -> x > 0 ? x : Float.isNaN(x) ? x : 0;
      case SIGMOID -> sigmoid(x);
      case TANH -> (float) Math.tanh(x);
      case EXP -> (float) Math.exp(x);
      case NEG -> -x;
    };
  }

  static float glu(Operation.Glu.Kind kind, float gate, float up, float alpha, float limit) {
    return switch (kind) {
      case SWIGLU -> gate * sigmoid(gate) * up;
      case GEGLU -> gelu(gate) * up;
      case REGLU -> Math.max(0, gate) * up;
      case SWIGLU_LIMITED -> {
        float g = Math.min(gate, limit);
        float u = Math.clamp(up, -limit, limit);
        yield g * sigmoid(alpha * g) * (u + 1);
      }
    };
  }

  private static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  private static float gelu(float x) {
    return x * sigmoid(2 * SQRT_2_OVER_PI * x * (1 + 0.044715f * x * x));
  }

  static float roundToBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return Float.intBitsToFloat((bits | 0x400000) & 0xffff0000);
    }
    return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
  }
}
