// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Operation;
import dev.consort.api.Operation.Binary;
import dev.consort.api.Operation.Glu;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.List;

/** Elementwise operations, normalisations, reductions and rope. */
final class ElementKernels {
  private ElementKernels() {}

  private static Push strides(Push push, Tensor x) {
    return push.u32(x.nb(0) / 4, x.nb(1) / 4, x.nb(2) / 4, x.nb(3) / 4);
  }

  private static Push extents(Push push, Tensor x) {
    return push.u32(x.ne(0), x.ne(1), x.ne(2));
  }

  static void binary(Work work, Tensor node, Binary.Kind kind) {
    pair(work, node, kind.ordinal(), 0, 0);
  }

  static void glu(Work work, Tensor node, Glu glu) {
    pair(work, node, 4 + glu.kind().ordinal(), glu.alpha(), glu.limit());
  }

  private static void pair(Work work, Tensor node, int op, float first, float second) {
    Tensor a = node.source(0);
    Tensor b = node.source(1);
    Place left = work.place(a);
    Place right = work.place(b);
    Place y = work.place(node);
    boolean flat = a.isContiguous() && b.isContiguous() && a.shape().equals(b.shape());
    var push = new Push().address(left.address()).address(right.address()).address(y.address());
    push.u32(node.shape().elements());
    strides(extents(push, node), a).u32(b.ne(0), b.ne(1), b.ne(2), b.ne(3));
    strides(push, b).f32(first).f32(second);
    work.each(
        "binary",
        new int[] {work.tuning().flat(), op, flat ? 1 : 0},
        push,
        node.shape().elements(),
        List.of(left, right),
        y);
  }

  /**
   * {@code op} is the shader's number: the order of {@link Operation.Unary.Kind}, 8 scale, 9 clamp.
   */
  static void unary(Work work, Tensor node, int op, float first, float second) {
    Tensor x = node.source(0);
    Place from = work.place(x);
    Place y = work.place(node);
    var push = new Push().address(from.address()).address(y.address());
    push.u32(node.shape().elements());
    strides(extents(push, node), x).f32(first).f32(second);
    int[] constants = {work.tuning().flat(), op};
    work.each("unary", constants, push, node.shape().elements(), List.of(from), y);
  }

  private static Push rows(Push push, Tensor x) {
    return push.u32(x.ne(0), x.shape().rows(), x.ne(1), x.ne(2))
        .u32(x.nb(1) / 4, x.nb(2) / 4, x.nb(3) / 4);
  }

  /** With a weight, {@code node} is the product that follows the norm. */
  static void rmsNorm(Work work, Tensor x, float eps, List<Tensor> weight, Tensor node) {
    Place from = work.place(x);
    Place scale = weight.isEmpty() ? Place.NONE : work.place(weight.getFirst());
    Place y = work.place(node);
    var push = new Push().address(from.address()).address(scale.address()).address(y.address());
    rows(push, x).f32(eps);
    int[] constants = {work.tuning().row(), weight.isEmpty() ? 0 : 1};
    work.groups("rmsnorm", constants, push, x.shape().rows(), List.of(from, scale), y);
  }

  static void softMax(Work work, Tensor node) {
    Tensor x = node.source(0);
    Place from = work.place(x);
    Place y = work.place(node);
    var push = rows(new Push().address(from.address()).address(y.address()), x);
    int[] constants = {work.tuning().row()};
    work.groups("softmax", constants, push, x.shape().rows(), List.of(from), y);
  }

  static void sum(Work work, Tensor node, int axis) {
    Tensor x = node.source(0);
    Place from = work.place(x);
    Place y = work.place(node);
    var push = new Push().address(from.address()).address(y.address());
    push.u32(node.shape().elements());
    strides(extents(push, node), x).u32(x.ne(axis), x.nb(axis) / 4);
    List<Place> reads = List.of(from);
    if (axis == 0) {
      int[] constants = {work.tuning().row(), 1};
      work.groups("sum", constants, push, node.shape().elements(), reads, y);
    } else {
      int[] constants = {work.tuning().flat(), 0};
      work.each("sum", constants, push, node.shape().elements(), reads, y);
    }
  }

  static void topK(Work work, Tensor node, int k) {
    Tensor x = node.source(0);
    boolean masked = node.sources().size() == 2;
    Place from = work.place(x);
    Place queries = masked ? work.place(node.source(1)) : Place.NONE;
    Place y = work.place(node);
    var push = new Push().address(from.address()).address(queries.address()).address(y.address());
    push.u32(x.ne(0), x.ne(1), x.nb(1) / 4, k);
    int[] constants = {work.tuning().row(), masked ? 1 : 0};
    work.groups("topk", constants, push, x.ne(1), List.of(from, queries), y);
  }

  static void rope(Work work, Tensor node, Operation.Rope rope) {
    Tensor x = node.source(0);
    boolean factored = node.sources().size() == 3;
    Place from = work.place(x);
    Place positions = work.place(node.source(1));
    Place factors = factored ? work.place(node.source(2)) : Place.NONE;
    Place angles = work.angles(rope);
    Place y = work.place(node);
    var push = new Push().address(from.address()).address(y.address());
    push.address(positions.address()).address(angles.address()).address(factors.address());
    push.u32(x.ne(0), x.ne(1), x.ne(2), rope.dims(), x.nb(1) / 4, x.nb(2) / 4);
    push.f32(RopeTable.scale(rope));
    int neox = rope.mode() == Operation.Rope.Mode.NEOX ? 1 : 0;
    long pairs = rope.dims() / 2 + (x.ne(0) - rope.dims());
    work.each(
        "rope",
        new int[] {work.tuning().flat(), neox, factored ? 1 : 0},
        push,
        pairs * x.ne(1) * x.ne(2),
        List.of(from, positions, angles, factors),
        y);
  }

  static String whyNotRows(Tensor x) {
    return x.nb(0) == 4 || x.ne(0) <= 1 ? "" : x + " is strided along axis 0";
  }

  static boolean tooLarge(Tensor node) {
    return node.shape().elements() >= 1L << 31 || span(node) >= 1L << 33;
  }

  private static long span(Tensor x) {
    long bytes = 0;
    for (int axis = 0; axis < Shape.AXES; axis++) {
      bytes += Math.max(0, x.ne(axis) - 1) * x.nb(axis);
    }
    return bytes;
  }
}
