// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Products of one column, or of an expert a column, with activations in eight bits. */
final class VectorKernels {
  private static final String FILE = "vector";
  private static final int MOST_WEIGHTS = 4;
  private static final int WARPS = 8;
  private static final int THREADS = 32 * WARPS;
  private static final int GATED_ROWS = 32;

  /** What a warp takes at once. */
  private static final int ROWS = 4;

  private static final long ELEMENTS_A_WARP = 1024;
  private static final int BLOCKS_A_PROCESSOR = 2;
  private static final double UNSHARED = 0.08;

  static final Set<DataType> TYPES =
      EnumSet.of(DataType.Q4_K, DataType.Q5_K, DataType.Q6_K, DataType.Q8_0, DataType.Q4_0);

  private VectorKernels() {}

  /** Products of several weights with the same activations. */
  static void emit(Work work, List<Tensor> nodes) {
    Tensor node = nodes.getFirst();
    if (node.operation() instanceof Operation.MatMul && RingKernels.fits(work.chip(), nodes)) {
      RingKernels.emit(work, nodes);
      return;
    }
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    boolean experts = node.operation() instanceof Operation.MatMulId;
    Tensor ids = experts ? node.source(2) : w;
    long activations = work.form(x, Form.QUANTS);
    int split = split(nodes, work.processors());
    int rowsABlock = ROWS * WARPS / split;
    var arguments = new Arguments();
    long first = 0;
    for (int i = 0; i < MOST_WEIGHTS; i++) {
      boolean is = i < nodes.size();
      Tensor each = is ? nodes.get(i) : node;
      arguments
          .word(is ? work.address(each.source(0)) : 0)
          .word(is ? work.address(each) : 0)
          .word(each.source(0).nb(1))
          .integer(each.ne(0))
          .integer(KernelType.of(each.source(0).type()))
          .integer(is ? first : Integer.MAX_VALUE)
          .integer(0);
      first += is ? (each.ne(0) + rowsABlock - 1) / rowsABlock : 0;
    }
    arguments
        .word(activations)
        .word(x.shape().elements())
        .word(experts ? work.address(ids) : 0)
        .word(experts ? ids.nb(0) : 0)
        .word(experts ? ids.nb(1) : 0)
        .word(experts ? w.nb(2) : 0)
        .integer(experts ? w.ne(2) : 0)
        .integer(experts ? ids.ne(0) : 1)
        .integer(experts && x.ne(1) > 1 ? 1 : 0)
        .integer(w.ne(0))
        .integer(nodes.size())
        .integer(split);
    long columns = experts ? node.ne(1) * node.ne(2) : 1;
    work.grid(FILE, "mat_vec_q", arguments, THREADS, first, columns, 1);
  }

  /**
   * How many warps share a row: blocks run in waves, which should be full, and each has some time
   * that sharing does not shorten.
   */
  private static int split(List<Tensor> nodes, int processors) {
    long rows = nodes.stream().mapToLong(node -> node.shape().elements()).sum();
    long elements = nodes.getFirst().source(0).ne(0);
    int best = 1;
    double least = Double.MAX_VALUE;
    for (int split = 1; split <= WARPS && elements >= (long) split * ELEMENTS_A_WARP; split *= 2) {
      long blocks = (rows * split + ROWS * WARPS - 1) / (ROWS * WARPS);
      long atOnce = (long) processors * BLOCKS_A_PROCESSOR;
      double time = (double) ((blocks + atOnce - 1) / atOnce) * (1.0 / split + UNSHARED);
      if (time < least) {
        least = time;
        best = split;
      }
    }
    return best;
  }

  /** Whether a gate and what it opens can be computed together: two products of one kind. */
  static boolean isGated(Tensor glu) {
    if (!(glu.operation() instanceof Operation.Glu)
        || !isVector(glu.source(0))
        || !isVector(glu.source(1))) {
      return false;
    }
    Tensor gate = glu.source(0);
    Tensor up = glu.source(1);
    return gate.source(1) == up.source(1)
        && gate != up
        && gate.source(0).type() == up.source(0).type()
        && glu.ne(0) % GATED_ROWS == 0;
  }

  /** Whether it is a product of one column that kernels here take. */
  static boolean isVector(Tensor node) {
    return node.operation() instanceof Operation.MatMul
        && node.ne(1) * node.ne(2) * node.ne(3) == 1
        && (MatrixKernels.isOfHalves(node)
            || MatrixKernels.form(node).filter(form -> form == Form.QUANTS).isPresent());
  }

  /** A gate, what it opens, and perhaps what makes their activations. */
  static void gated(Work work, List<Tensor> nodes) {
    Tensor glu = nodes.getLast();
    if (RingKernels.fits(work.chip(), List.of(glu.source(0), glu.source(1)))) {
      RingKernels.gated(work, nodes);
      return;
    }
    Tensor gate = glu.source(0).source(0);
    Tensor up = glu.source(1).source(0);
    Operation.Glu op = (Operation.Glu) glu.operation();
    boolean halves = MatrixKernels.isOfHalves(glu.source(0));
    var arguments =
        new Arguments().word(work.address(gate)).word(work.address(up)).word(work.address(glu));
    Tensor x = glu.source(0).source(1);
    long activations = halves ? work.address(x) : work.form(x, Form.QUANTS);
    boolean formed = !halves && work.wanted(glu).filter(form -> form == Form.QUANTS).isPresent();
    arguments
        .word(formed ? work.make(glu, Form.QUANTS) : 0)
        .word(activations)
        .word(gate.nb(1))
        .word(up.nb(1))
        .integer(glu.ne(0))
        .integer(gate.ne(0))
        .integer(KernelType.of(gate.type()))
        .integer(ElementKernels.GLU + op.kind().ordinal())
        .real(op.alpha())
        .real(op.limit());
    String kernel = "mat_vec_gated_" + gate.type().label();
    work.grid(FILE, kernel, arguments, THREADS, glu.ne(0) / GATED_ROWS, 1, 1);
  }
}
