// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Locale;
import java.util.Optional;

/**
 * What makes a tensor from its sources. The records hold the parameters; {@link Inference} holds
 * the rules for sources and shapes; the kit's scalar reference defines the arithmetic.
 *
 * <p>Throughout, a negative index selects nothing: {@link GetRows} and {@link MatMulId} give a zero
 * row for it and {@link SetRows} drops the row. Activations are F32 and indices I32.
 */
@Stable(since = "1.0")
public sealed interface Operation {

  /** The operation's name in tables and messages: {@code mat_mul}. */
  default String label() {
    return Labels.of(this);
  }

  /** Something that exists before the graph runs. */
  sealed interface Leaf extends Operation {
    DataType type();

    Shape shape();

    /** How it may be split; empty means that every member holds all of it. */
    Optional<Shard> shard();
  }

  /** Written by the host before a submission. */
  record Input(DataType type, Shape shape, Optional<Shard> shard) implements Leaf {}

  /** Written once, read by every submission. */
  record Weight(DataType type, Shape shape, Optional<Shard> shard) implements Leaf {}

  /** Kept from submission to submission; changed only by operations that return a new version. */
  record State(DataType type, Shape shape, Optional<Shard> shard) implements Leaf {}

  /** Another look at the storage of the base; needs no work. */
  sealed interface View extends Operation {}

  /** The same elements in order under another shape; the source is contiguous. */
  record Reshape(Shape shape) implements View {}

  /** Elements {@code [start, start + length)} of one axis. */
  record Slice(int axis, long start, long length) implements View {}

  /** Axis {@code i} of the source becomes axis {@code axis_i} of the result. */
  record Permute(int axis0, int axis1, int axis2, int axis3) implements View {
    public int axis(int i) {
      return switch (i) {
        case 0 -> axis0;
        case 1 -> axis1;
        case 2 -> axis2;
        case 3 -> axis3;
        default -> throw Shape.badAxis(i);
      };
    }
  }

  /** {@code w[K,M,B2,B3], x[K,N,C2,C3] -> [M,N,C2,C3]}, {@code B2} dividing {@code C2}, B3 C3. */
  record MatMul() implements Operation {}

  /** One weight matrix for each row: {@code w[K,M,X], x[K,1 or U,T], ids[U,T] -> [M,U,T]}. */
  record MatMulId() implements Operation {}

  /** {@code table[C,R,B], ids[N,B] -> F32 [C,N,B]}. */
  record GetRows() implements Operation {}

  /**
   * {@code state[..,S], src F32 [..,T], ids[T] ->} the new version of the state, whose slice {@code
   * ids[t]} of the last axis is the source's slice {@code t}. Ids must be distinct or negative.
   */
  record SetRows() implements Operation {}

  /** Elementwise; the second source is repeated to the shape of the first. */
  record Binary(Kind kind) implements Operation {
    public enum Kind {
      ADD,
      SUB,
      MUL,
      DIV
    }

    @Override
    public String label() {
      return kind.name().toLowerCase(Locale.ROOT);
    }
  }

  /** {@code x * scale + bias}. */
  record Scale(float scale, float bias) implements Operation {}

  /** Elementwise function. */
  record Unary(Kind kind) implements Operation {
    /** GELU is the tanh approximation; GELU_QUICK is {@code x * sigmoid(1.702 x)}. */
    public enum Kind {
      SILU,
      GELU,
      GELU_QUICK,
      RELU,
      SIGMOID,
      TANH,
      EXP,
      NEG
    }

    @Override
    public String label() {
      return kind.name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * {@code gate, up -> act(gate) * up}. {@code SWIGLU_LIMITED} clamps the gate from above and the
   * other source to both sides at {@code limit} and gives {@code g * sigmoid(alpha g) * (u + 1)}.
   */
  record Glu(Kind kind, float alpha, float limit) implements Operation {
    public enum Kind {
      SWIGLU,
      GEGLU,
      REGLU,
      SWIGLU_LIMITED
    }

    @Override
    public String label() {
      return kind.name().toLowerCase(Locale.ROOT);
    }
  }

  /** {@code x / sqrt(mean(x^2) + eps)} over axis 0. */
  record RmsNorm(float eps) implements Operation {}

  /**
   * Rotary position embedding of {@code x[D,H,T], positions[T], optional factors[dims/2]}, with
   * YaRN's interpolation (Peng et al., 2023) when {@code extFactor} is not 0. Elements from {@code
   * dims} on are copied.
   */
  record Rope(
      Mode mode,
      int dims,
      float freqBase,
      float freqScale,
      float extFactor,
      float attnFactor,
      float betaFast,
      float betaSlow,
      int originalContext)
      implements Operation {
    /** Which elements form a pair: neighbours, or one from each half. */
    public enum Mode {
      NORM,
      NEOX
    }
  }

  /**
   * Scaled dot product attention over a cache: {@code q[D,H,T], k[D,G,S], v[E,G,S], queries[2,T],
   * cells[2,S], live[1], optional sinks[H] -> F32 [E,H,T]}; head {@code h} reads key/value head
   * {@code h / (H/G)}.
   *
   * <p>{@code queries} and {@code cells} hold (position, bit set of sequences). Cell {@code s} is
   * visible to query {@code t} if {@code s < live[0]}, they share a sequence bit, its position is
   * not behind the query's, and with {@code window > 0} is less than {@code window} before it.
   * Scores are {@code softcap(scale * q.k)}, where {@code softcap(x) = c * tanh(x / c)} for {@code
   * c > 0}. A sink joins the softmax's denominator. A query that sees nothing gives zeros.
   */
  record Attention(float scale, float softcap, int window) implements Operation {}

  /** Over axis 0. */
  record SoftMax() implements Operation {}

  /**
   * {@code x[X,T], optional queries[2,T] -> I32 [k,T]}: indices of the largest, descending, the
   * lower index first among equals. A row whose query is in no sequence gives -1.
   */
  record TopK(int k) implements Operation {}

  /** The sum over one axis, which becomes 1 long. */
  record Sum(int axis) implements Operation {}

  /** Elementwise clamp to {@code [min, max]}. */
  record Clamp(float min, float max) implements Operation {}

  /** A contiguous copy of F32, F16 or BF16 in one of these types, rounding to nearest even. */
  record Copy(DataType type) implements Operation {}

  /**
   * The sum of this source over all members of a comm, the same bytes on each. Stands only in
   * graphs that a host made for the members of a meta device.
   */
  record AllReduce(CommMember member) implements Operation {}
}
