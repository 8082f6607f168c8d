// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Operation;
import java.util.List;

/** Functions of single elements. */
final class ElementKernels {
  private ElementKernels() {}

  /** A function of one element. */
  interface Function {
    float apply(float x);
  }

  static void map(List<Operand> sources, Operand result, Function function) {
    Operand x = sources.get(0);
    forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] row = x.row(i1, i2, i3);
          for (int i = 0; i < row.length; i++) {
            row[i] = function.apply(row[i]);
          }
          return row;
        });
  }

  static void binary(Operation.Binary op, List<Operand> sources, Operand result) {
    Operand a = sources.get(0);
    Operand b = sources.get(1);
    forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] row = a.row(i1, i2, i3);
          float[] other = b.row(i1 % b.ne(1), i2 % b.ne(2), i3 % b.ne(3));
          for (int i = 0; i < row.length; i++) {
            float y = other[i % other.length];
            row[i] =
                switch (op.kind()) {
                  case ADD -> row[i] + y;
                  case SUB -> row[i] - y;
                  case MUL -> row[i] * y;
                  case DIV -> row[i] / y;
                };
          }
          return row;
        });
  }

  static void glu(Operation.Glu op, List<Operand> sources, Operand result) {
    Operand gate = sources.get(0);
    Operand up = sources.get(1);
    forEachRow(
        result,
        (i1, i2, i3) -> {
          float[] g = gate.row(i1, i2, i3);
          float[] u = up.row(i1, i2, i3);
          for (int i = 0; i < g.length; i++) {
            g[i] = glu(op, g[i], u[i]);
          }
          return g;
        });
  }

  private static float glu(Operation.Glu op, float gate, float up) {
    return switch (op.kind()) {
      case SWIGLU -> (float) ((double) gate * sigmoid(gate) * up);
      case GEGLU -> (float) (gelu(gate) * up);
      case REGLU -> Math.max(gate, 0) * up;
      case SWIGLU_LIMITED -> {
        double g = Math.min(gate, op.limit());
        double u = Math.clamp(up, -op.limit(), op.limit());
        yield (float) (g * sigmoid(op.alpha() * g) * (u + 1));
      }
    };
  }

  static float unary(Operation.Unary.Kind kind, float x) {
    return (float)
        switch (kind) {
          case SILU -> x * sigmoid(x);
          case GELU -> gelu(x);
          case GELU_QUICK -> x * sigmoid(1.702 * x);
          case RELU -> Math.max(x, 0.0);
          case SIGMOID -> sigmoid(x);
          case TANH -> Math.tanh(x);
          case EXP -> Math.exp(x);
          case NEG -> -x;
        };
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double gelu(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)));
  }

  /** Makes one row of a result. */
  interface Row {
    float[] make(long i1, long i2, long i3);
  }

  static void forEachRow(Operand result, Row row) {
    if (result.tensor().shape().isEmpty()) {
      return;
    }
    for (long i3 = 0; i3 < result.ne(3); i3++) {
      for (long i2 = 0; i2 < result.ne(2); i2++) {
        for (long i1 = 0; i1 < result.ne(1); i1++) {
          result.putRow(i1, i2, i3, row.make(i1, i2, i3));
        }
      }
    }
  }
}
