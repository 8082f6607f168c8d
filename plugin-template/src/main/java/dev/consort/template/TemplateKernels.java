// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Operation;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** The arithmetic. What is not here the host lowers, or places on another device. */
final class TemplateKernels {
  private TemplateKernels() {}

  static Support supports(Tensor node) {
    return switch (node.operation()) {
      case Operation.MatMul _,
          Operation.Binary _,
          Operation.Scale _,
          Operation.Unary _,
          Operation.Copy _ ->
          Support.yes();
      default -> Support.no("no kernel for " + node.operation().label());
    };
  }

  /** Computes one node. */
  static void run(Operation operation, List<TemplateTensor> sources, TemplateTensor to) {
    TemplateTensor x = sources.getFirst();
    switch (operation) {
      case Operation.MatMul _ -> matMul(x, sources.get(1), to);
      case Operation.Binary op -> binary(op.kind(), x, sources.get(1), to);
      case Operation.Scale op -> map(value -> value * op.scale() + op.bias(), x, to);
      case Operation.Unary op -> map(value -> unary(op.kind(), value), x, to);
      default -> map(value -> value, x, to);
    }
  }

  private static void map(DoubleUnaryOperator function, TemplateTensor x, TemplateTensor to) {
    to.eachRow(
        (i1, i2, i3) -> {
          float[] row = x.row(i1, i2, i3);
          for (int i = 0; i < row.length; i++) {
            row[i] = (float) function.applyAsDouble(row[i]);
          }
          return row;
        });
  }

  private static double unary(Operation.Unary.Kind kind, double x) {
    return switch (kind) {
      case SILU -> x * sigmoid(x);
      case GELU -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)));
      case GELU_QUICK -> x * sigmoid(1.702 * x);
      case RELU -> Math.max(x, 0);
      case SIGMOID -> sigmoid(x);
      case TANH -> Math.tanh(x);
      case EXP -> Math.exp(x);
      case NEG -> -x;
    };
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** The second source is repeated to the shape of the first. */
  private static void binary(
      Operation.Binary.Kind kind, TemplateTensor a, TemplateTensor b, TemplateTensor to) {
    to.eachRow(
        (i1, i2, i3) -> {
          float[] row = a.row(i1, i2, i3);
          float[] other = b.row(i1 % b.ne(1), i2 % b.ne(2), i3 % b.ne(3));
          for (int i = 0; i < row.length; i++) {
            float y = other[i % other.length];
            row[i] =
                switch (kind) {
                  case ADD -> row[i] + y;
                  case SUB -> row[i] - y;
                  case MUL -> row[i] * y;
                  case DIV -> row[i] / y;
                };
          }
          return row;
        });
  }

  /** Each result row is the products of all weight rows with one row of activations. */
  private static void matMul(TemplateTensor w, TemplateTensor x, TemplateTensor to) {
    to.eachRow(
        (n, i2, i3) -> {
          float[] activations = x.row(n, i2, i3);
          float[] row = new float[Math.toIntExact(w.ne(1))];
          for (int m = 0; m < row.length; m++) {
            float[] weights = w.row(m, i2 * w.ne(2) / x.ne(2), i3 * w.ne(3) / x.ne(3));
            double sum = 0;
            for (int k = 0; k < weights.length; k++) {
              sum += (double) weights[k] * activations[k];
            }
            row[m] = (float) sum;
          }
          return row;
        });
  }
}
