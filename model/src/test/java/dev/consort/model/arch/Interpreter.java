// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs a graph with plain loops, weights decoded to F32, to find errors in graphs before any
 * backend runs them. Every tensor is a contiguous array of floats, indices too; states keep their
 * contents from run to run.
 */
final class Interpreter {
  private final Function<String, MemorySegment> weightBytes;
  private final Map<String, float[]> weights = new HashMap<>();
  private final Map<String, float[]> states = new HashMap<>();

  Interpreter(Function<String, MemorySegment> weightBytes) {
    this.weightBytes = weightBytes;
  }

  /** The one output's values. */
  float[] run(Graph graph, Map<String, float[]> inputs) {
    Map<Tensor, float[]> values = new IdentityHashMap<>();
    for (Tensor leaf : graph.leaves()) {
      values.put(leaf, leaf(leaf, inputs));
    }
    for (Tensor node : graph.nodes()) {
      float[][] sources = node.sources().stream().map(values::get).toArray(float[][]::new);
      values.put(node, compute(node, sources));
    }
    return values.get(graph.outputs().iterator().next());
  }

  private float[] leaf(Tensor leaf, Map<String, float[]> inputs) {
    int size = (int) leaf.shape().elements();
    return switch (leaf.operation()) {
      case Operation.Input in -> {
        float[] given = inputs.get(leaf.name());
        if (given == null || given.length != size) {
          throw new AssertionError("input " + leaf + " was not given in this size");
        }
        yield given;
      }
      case Operation.State state -> states.computeIfAbsent(leaf.name(), n -> new float[size]);
      default -> weights.computeIfAbsent(leaf.name(), n -> decode(leaf, size));
    };
  }

  private float[] decode(Tensor leaf, int size) {
    float[] values = new float[size];
    Codec.of(leaf.type())
        .decode(weightBytes.apply(leaf.name()), 0, MemorySegment.ofArray(values), 0, size);
    return values;
  }

  private static float[] compute(Tensor node, float[][] in) {
    return switch (node.operation()) {
      case Operation.Reshape op -> in[0];
      case Operation.Slice op -> slice(node, op, in[0]);
      case Operation.MatMul op -> matMul(node, in[0], in[1]);
      case Operation.MatMulId op -> matMulId(node, in[0], in[1], in[2]);
      case Operation.GetRows op -> getRows(node, in[0], in[1]);
      case Operation.SetRows op -> setRows(node, in[0], in[1], in[2]);
      case Operation.Binary op -> binary(node, op, in[0], in[1]);
      case Operation.Scale op -> map(in[0], x -> x * op.scale() + op.bias());
      case Operation.Clamp op -> map(in[0], x -> Math.clamp(x, op.min(), op.max()));
      case Operation.Unary op -> map(in[0], x -> unary(op.kind(), x));
      case Operation.Glu op -> glu(op, in[0], in[1]);
      case Operation.RmsNorm op -> rmsNorm(node, op, in[0]);
      case Operation.Rope op -> RopeLoops.rope(node, op, in);
      case Operation.Attention op -> AttentionLoops.attention(node, op, in);
      case Operation.SoftMax op -> softMax(node, in[0]);
      case Operation.TopK op -> topK(node, op, in);
      case Operation.Sum op -> sum(node, op, in[0]);
      case Operation.Copy op when op.type() == DataType.F32 -> in[0].clone();
      default -> throw new AssertionError("no loop for " + node);
    };
  }

  private interface Function1 {
    float apply(float x);
  }

  private static float[] map(float[] x, Function1 function) {
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = function.apply(x[i]);
    }
    return y;
  }

  private static float unary(Operation.Unary.Kind kind, float x) {
    return switch (kind) {
      case TANH -> (float) Math.tanh(x);
      case SILU -> silu(x);
      case SIGMOID -> (float) (1 / (1 + Math.exp(-x)));
      default -> throw new AssertionError("no loop for " + kind);
    };
  }

  private static float silu(float x) {
    return (float) (x / (1 + Math.exp(-x)));
  }

  private static float gelu(float x) {
    return (float) (0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x))));
  }

  private static float[] glu(Operation.Glu op, float[] gate, float[] up) {
    float[] y = new float[gate.length];
    for (int i = 0; i < y.length; i++) {
      y[i] =
          switch (op.kind()) {
            case SWIGLU -> silu(gate[i]) * up[i];
            case GEGLU -> gelu(gate[i]) * up[i];
            case REGLU -> Math.max(0, gate[i]) * up[i];
            case SWIGLU_LIMITED -> {
              float g = Math.min(gate[i], op.limit());
              float u = Math.clamp(up[i], -op.limit(), op.limit());
              yield (float) (g / (1 + Math.exp(-op.alpha() * g))) * (u + 1);
            }
          };
    }
    return y;
  }

  private static float[] slice(Tensor node, Operation.Slice op, float[] x) {
    Shape from = node.source(0).shape();
    Shape to = node.shape();
    float[] y = new float[(int) to.elements()];
    long[] start = new long[Shape.AXES];
    start[op.axis()] = op.start();
    int at = 0;
    for (long i3 = 0; i3 < to.ne3(); i3++) {
      for (long i2 = 0; i2 < to.ne2(); i2++) {
        for (long i1 = 0; i1 < to.ne1(); i1++) {
          long row = ((i3 + start[3]) * from.ne2() + i2 + start[2]) * from.ne1() + i1 + start[1];
          for (long i0 = 0; i0 < to.ne0(); i0++) {
            y[at++] = x[(int) (row * from.ne0() + i0 + start[0])];
          }
        }
      }
    }
    return y;
  }

  private static float dot(float[] a, int atA, float[] b, int atB, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double) a[atA + i] * b[atB + i];
    }
    return (float) sum;
  }

  private static float[] matMul(Tensor node, float[] w, float[] x) {
    int k = (int) node.source(0).ne(0);
    int m = (int) node.ne(0);
    int n = (int) node.shape().rows();
    float[] y = new float[m * n];
    for (int col = 0; col < n; col++) {
      for (int row = 0; row < m; row++) {
        y[col * m + row] = dot(w, row * k, x, col * k, k);
      }
    }
    return y;
  }

  private static float[] matMulId(Tensor node, float[] w, float[] x, float[] ids) {
    int k = (int) node.source(0).ne(0);
    int m = (int) node.ne(0);
    int used = (int) node.ne(1);
    int rowsOfX = (int) node.source(1).ne(1);
    float[] y = new float[(int) node.shape().elements()];
    for (int i = 0; i < ids.length; i++) {
      int from = (i / used * rowsOfX + (rowsOfX == 1 ? 0 : i % used)) * k;
      for (int row = 0; ids[i] >= 0 && row < m; row++) {
        y[i * m + row] = dot(w, ((int) ids[i] * m + row) * k, x, from, k);
      }
    }
    return y;
  }

  private static float[] getRows(Tensor node, float[] table, float[] ids) {
    int c = (int) node.ne(0);
    int n = (int) node.ne(1);
    int rows = (int) node.source(0).ne(1);
    float[] y = new float[c * ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] >= 0) {
        System.arraycopy(table, (i / n * rows + (int) ids[i]) * c, y, i * c, c);
      }
    }
    return y;
  }

  private static float[] setRows(Tensor node, float[] state, float[] src, float[] ids) {
    int size = src.length / ids.length;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] >= 0) {
        System.arraycopy(src, i * size, state, (int) ids[i] * size, size);
      }
    }
    return state;
  }

  private static float[] binary(Tensor node, Operation.Binary op, float[] a, float[] b) {
    Shape s = node.shape();
    Shape t = node.source(1).shape();
    float[] y = new float[a.length];
    for (int i = 0; i < y.length; i++) {
      long i0 = i % s.ne0();
      long i1 = i / s.ne0() % s.ne1();
      long i2 = i / (s.ne0() * s.ne1()) % s.ne2();
      long j = (i2 % t.ne2() * t.ne1() + i1 % t.ne1()) * t.ne0() + i0 % t.ne0();
      float v = b[(int) j];
      y[i] =
          switch (op.kind()) {
            case ADD -> a[i] + v;
            case SUB -> a[i] - v;
            case MUL -> a[i] * v;
            case DIV -> a[i] / v;
          };
    }
    return y;
  }

  private static float[] rmsNorm(Tensor node, Operation.RmsNorm op, float[] x) {
    int n = (int) node.ne(0);
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += n) {
      float scale = (float) (1 / Math.sqrt(dot(x, row, x, row, n) / n + op.eps()));
      for (int i = row; i < row + n; i++) {
        y[i] = x[i] * scale;
      }
    }
    return y;
  }

  private static float[] softMax(Tensor node, float[] x) {
    int n = (int) node.ne(0);
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += n) {
      double most = Double.NEGATIVE_INFINITY;
      for (int i = row; i < row + n; i++) {
        most = Math.max(most, x[i]);
      }
      double sum = 0;
      for (int i = row; i < row + n; i++) {
        sum += Math.exp(x[i] - most);
      }
      for (int i = row; i < row + n; i++) {
        y[i] = (float) (Math.exp(x[i] - most) / sum);
      }
    }
    return y;
  }

  private static float[] topK(Tensor node, Operation.TopK op, float[][] in) {
    int n = (int) node.source(0).ne(0);
    int rows = in[0].length / n;
    float[] y = new float[rows * op.k()];
    for (int row = 0; row < rows; row++) {
      float[] x = Arrays.copyOfRange(in[0], row * n, (row + 1) * n);
      for (int k = 0; k < op.k(); k++) {
        int best = 0;
        for (int i = 1; i < n; i++) {
          best = x[i] > x[best] ? i : best;
        }
        x[best] = Float.NEGATIVE_INFINITY;
        y[row * op.k() + k] = in.length > 1 && in[1][2 * row + 1] == 0 ? -1 : best;
      }
    }
    return y;
  }

  private static float[] sum(Tensor node, Operation.Sum op, float[] x) {
    Shape from = node.source(0).shape();
    int inner = 1;
    for (int axis = 0; axis < op.axis(); axis++) {
      inner *= (int) from.ne(axis);
    }
    int n = (int) from.ne(op.axis());
    float[] y = new float[x.length / n];
    for (int i = 0; i < x.length; i++) {
      y[i / (inner * n) * inner + i % inner] += x[i];
    }
    return y;
  }
}
