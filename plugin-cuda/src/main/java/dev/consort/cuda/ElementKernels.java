// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.Optional;

/** Functions of single elements, and of rows. */
final class ElementKernels {
  /** {@code Function} of elements.cu. Binary operations begin at 0. */
  static final int UNARY = 10;

  static final int SCALE = 18;
  static final int CLAMP = 19;
  static final int GLU = 20;
  static final int COPY = 30;

  private static final String FILE = "elements";
  private static final int WARP = 32;
  private static final int MOST_THREADS = 1024;

  private ElementKernels() {}

  static void map(Work work, Tensor node, int function, float p0, float p1) {
    Tensor a = node.source(0);
    Tensor b = node.sources().size() > 1 ? node.source(1) : a;
    long flat = a.isContiguous() && b.isContiguous() ? period(a, b) : 0;
    var arguments =
        new Arguments()
            .tensor(work.address(node), node)
            .tensor(work.address(a), a)
            .tensor(work.address(b), b)
            .word(node.shape().elements())
            .word(flat)
            .integer(function)
            .integer(KernelType.of(a.type()))
            .integer(KernelType.of(node.type()))
            .real(p0)
            .real(p1);
    work.each(FILE, "map", arguments, node.shape().elements());
  }

  /** After how many elements of {@code a} the other begins anew; 0 if it is not so simple. */
  private static long period(Tensor a, Tensor b) {
    boolean whole = true;
    for (int axis = 0; axis < Shape.AXES; axis++) {
      if (b.ne(axis) != a.ne(axis)) {
        whole = false;
      }
      if (!whole && b.ne(axis) != 1) {
        return 0;
      }
    }
    return b.shape().elements();
  }

  /** As many threads as a row keeps busy. */
  private static int threads(long elements) {
    return (int) Math.clamp((elements + WARP - 1) / WARP * WARP, WARP, MOST_THREADS);
  }

  /** With a weight's address that is not 0, the product with the weight. */
  static void rmsNorm(Work work, Tensor x, float eps, long weight, Tensor result) {
    rows(work, "rms_norm", x, eps, weight, result);
  }

  /**
   * What one kernel does with rows without gaps of a multiple of 32 elements.
   *
   * @param other address of what is added to {@code x} first, or 0
   * @param sum address of where that goes, or 0
   * @param weight address
   */
  record Norm(Tensor x, long other, long sum, float eps, long weight, Tensor result) {
    int threads() {
      return ElementKernels.threads(x.ne(0) / 4);
    }

    /** {@code Norm} of norm.cuh. */
    void add(Arguments arguments, Work work) {
      Optional<Form> form = work.wanted(result);
      arguments
          .align(Long.BYTES)
          .word(work.address(x))
          .word(other)
          .word(sum)
          .word(weight)
          .word(work.address(result))
          .word(form.isPresent() ? work.make(result, form.get()) : 0)
          .word(x.shape().rows())
          .integer(x.ne(0))
          .integer(form.map(Form::kind).orElse(0))
          .real(eps);
    }
  }

  static void addNorm(Work work, Norm norm) {
    var arguments = new Arguments();
    norm.add(arguments, work);
    work.grid(FILE, "add_norm", arguments, norm.threads(), norm.x.shape().rows(), 1, 1);
  }

  /** A gate and what it opens; with the form of 16 bits where products want that. */
  static void glu(Work work, Tensor node, Operation.Glu op) {
    int function = GLU + op.kind().ordinal();
    Tensor gate = node.source(0);
    Tensor up = node.source(1);
    Optional<Form> form = work.wanted(node).filter(wanted -> wanted != Form.QUANTS);
    if (form.isEmpty() || !Fusion.isPlain(gate) || !Fusion.isPlain(up) || node.ne(0) % 4 != 0) {
      map(work, node, function, op.alpha(), op.limit());
      return;
    }
    var arguments =
        new Arguments()
            .word(work.address(gate))
            .word(work.address(up))
            .word(work.addressIfPlain(node))
            .word(work.make(node, form.get()))
            .word(node.shape().rows())
            .integer(node.ne(0))
            .integer(form.get().kind())
            .integer(function)
            .real(op.alpha())
            .real(op.limit());
    int threads = threads(node.ne(0) / 4);
    work.grid(FILE, "gated_shape", arguments, threads, node.shape().rows(), 1, 1);
  }

  /** Activations in the form that a product wants. */
  static void shape(Work work, Tensor x, Form form, long to) {
    int threads = 256;
    long parts = form == Form.QUANTS ? (x.ne(0) / 4 + threads - 1) / threads : 1;
    var arguments =
        new Arguments()
            .word(work.address(x))
            .word(to)
            .word(x.shape().rows())
            .word(Form.rowStep(x))
            .integer(x.ne(0))
            .integer(form.kind());
    work.grid(FILE, "shape", arguments, threads, x.shape().rows(), parts, 1);
  }

  static void softMax(Work work, Tensor node) {
    rows(work, "soft_max", node.source(0), 0, 0, node);
  }

  private static void rows(
      Work work, String kernel, Tensor x, float eps, long weight, Tensor result) {
    var arguments =
        new Arguments()
            .tensor(work.address(x), x)
            .word(work.address(result))
            .word(weight)
            .real(eps);
    work.grid(FILE, kernel, arguments, threads(x.ne(0)), x.shape().rows(), 1, 1);
  }

  static void sum(Work work, Tensor node, int axis) {
    Tensor x = node.source(0);
    var arguments =
        new Arguments()
            .tensor(work.address(x), x)
            .word(work.address(node))
            .word(node.shape().elements())
            .integer(axis);
    if (axis == 0) {
      work.grid(FILE, "sum_rows", arguments, threads(x.ne(0)), x.shape().rows(), 1, 1);
    } else {
      work.each(FILE, "sum_axis", arguments, node.shape().elements());
    }
  }

  static void topK(Work work, Tensor node, int k) {
    Tensor x = node.source(0);
    boolean padded = node.sources().size() == 2;
    Tensor queries = padded ? node.source(1) : x;
    var arguments =
        new Arguments()
            .tensor(work.address(x), x)
            .word(work.address(node))
            .word(padded ? work.address(queries) : 0)
            .word(queries.nb(1))
            .word(queries.nb(0))
            .integer(k);
    work.grid(FILE, "top_k", arguments, Math.min(256, threads(x.ne(0))), x.ne(1), 1, 1);
  }
}
