// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Matrix products. One column, or few: a warp a row of the weight. Many: tiles on tensor cores.
 * Floats whose strides or lengths fit neither: a warp an element of the result.
 */
final class MatrixKernels {
  /** So many products run as one. */
  static final int MOST_JOINED = 4;

  private static final String VECTOR = "vector";
  private static final int THREADS = 128;
  private static final int WARPS = THREADS / 32;
  private static final int VECTOR_COLUMNS = 16;
  private static final int COLUMNS_AT_ONCE = 4;
  private static final int TILE = 64;

  /** Activations are rounded for so many rows at least. */
  private static final int FEWEST_ROWS = 8;

  private static final int WIDE = 16;

  private MatrixKernels() {}

  static String whyNot(Tensor node) {
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    if (!KernelType.isKnown(w.type())) {
      return "products of " + w.type().label();
    }
    if (!isWide(w, x) && !KernelType.isFloating(w.type())) {
      return w + " or " + x + " is not aligned to 16 bytes";
    }
    boolean experts = node.operation() instanceof Operation.MatMulId;
    long batches = experts ? node.ne(1) * node.ne(2) : node.ne(2) * node.ne(3);
    return batches > CudaKernels.MOST_BLOCKS || node.ne(1) > CudaKernels.MOST_BLOCKS
        ? node + " has more than 65535 rows"
        : "";
  }

  /** Whether rows can be loaded 8 elements at a time. */
  private static boolean isWide(Tensor w, Tensor x) {
    boolean weights =
        w.nb(0) == w.type().blockBytes()
            && w.ne(0) % 8 == 0
            && (w.type().isQuantized() || isAligned(w));
    return weights && x.nb(0) == x.type().blockBytes() && isAligned(x);
  }

  private static boolean isAligned(Tensor tensor) {
    long bits = tensor.offset();
    for (int axis = 1; axis < Shape.AXES; axis++) {
      bits |= tensor.nb(axis);
    }
    return bits % WIDE == 0;
  }

  /** Whether the node is a product that {@link #emit} can take together with others like it. */
  static boolean joins(Tensor node) {
    return node.operation() instanceof Operation.MatMul
        && node.source(0).root().operation() instanceof Operation.Weight
        && node.source(0).shape().lastAxis() <= 1
        && (node.ne(1) <= VECTOR_COLUMNS || form(node).isPresent())
        && node.ne(2) * node.ne(3) == 1
        && !node.shape().isEmpty()
        && isWide(node.source(0), node.source(1));
  }

  /** Whether two nodes that join are of one kind. */
  static boolean join(Tensor first, Tensor second) {
    return first.source(1) == second.source(1)
        && form(first).equals(form(second))
        && (form(first).isPresent() || isLike(first.source(0), second.source(0)));
  }

  private static boolean isLike(Tensor first, Tensor second) {
    return first.type() == second.type() && first.nb(1) == second.nb(1);
  }

  /** Whether it is a product of one column with a weight of 16-bit floats, as they are. */
  static boolean isOfHalves(Tensor node) {
    Tensor w = node.source(0);
    return node.operation() instanceof Operation.MatMul
        && node.ne(1) * node.ne(2) * node.ne(3) == 1
        && (w.type() == DataType.F16 || w.type() == DataType.BF16)
        && w.ne(0) > 0
        && isWide(w, node.source(1));
  }

  /** The form in which a node takes its activations, if it is a product that wants one. */
  static Optional<Form> form(Tensor node) {
    boolean experts = node.operation() instanceof Operation.MatMulId;
    if ((!experts && !(node.operation() instanceof Operation.MatMul)) || node.shape().isEmpty()) {
      return Optional.empty();
    }
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    // A product over no elements, as of a member without a slice, is zeros.
    if (w.ne(0) == 0 || !isWide(w, x) || Form.rowStep(x) < 0) {
      return Optional.empty();
    }
    boolean single = experts || node.ne(1) * node.ne(2) * node.ne(3) == 1;
    if (single) {
      boolean quants = VectorKernels.TYPES.contains(w.type()) && w.ne(1) >= FEWEST_ROWS;
      return quants ? Optional.of(Form.QUANTS) : Optional.empty();
    }
    if (node.ne(1) <= VECTOR_COLUMNS || w.type() == DataType.F32) {
      return Optional.empty();
    }
    boolean brains = w.type() == DataType.BF16 || w.type() == DataType.MXFP4;
    return Optional.of(brains ? Form.BRAINS : Form.HALVES);
  }

  /** Products of several weights with the same activations; one, or as many as may join. */
  static void emit(Work work, List<Tensor> nodes) {
    Tensor node = nodes.getFirst();
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    boolean experts = node.operation() instanceof Operation.MatMulId;
    long columns = experts ? node.ne(1) * node.ne(2) : node.ne(1);
    long batches = experts ? 1 : node.ne(2) * node.ne(3);
    String type = w.type().label();
    Optional<Form> form = form(node);
    if (form.isPresent() && form.get() == Form.QUANTS) {
      VectorKernels.emit(work, nodes);
    } else if (form.isPresent()) {
      TileKernels.emit(work, nodes, form.get());
    } else if (!isWide(w, x)) {
      long elements = (w.ne(1) * columns + WARPS - 1) / WARPS;
      Arguments arguments = arguments(work, nodes, columns);
      work.grid(VECTOR, "mat_mul_any", arguments, THREADS, elements, batches, 1);
    } else if (isOfHalves(node) && RingKernels.fits(work.chip(), nodes)) {
      RingKernels.emit(work, nodes);
    } else if (experts || columns == 1) {
      Arguments arguments = arguments(work, nodes, columns);
      work.grid(
          VECTOR, "mat_vec_" + type, arguments, THREADS, blocks(nodes, WARPS), columns, batches);
    } else if (columns <= VECTOR_COLUMNS || w.type() != DataType.F32) {
      long groups = tiles(columns, COLUMNS_AT_ONCE);
      Arguments arguments = arguments(work, nodes, columns);
      work.grid(
          VECTOR, "mat_vec4_" + type, arguments, THREADS, blocks(nodes, WARPS), groups, batches);
    } else {
      long tilesN = tiles(columns, TILE);
      Arguments arguments = arguments(work, nodes, columns);
      work.grid("matrix", "mat_mul_f32", arguments, THREADS, tiles(w.ne(1), TILE), tilesN, batches);
    }
  }

  private static long tiles(long extent, int tile) {
    return (extent + tile - 1) / tile;
  }

  private static long blocks(List<Tensor> nodes, int rows) {
    return nodes.stream().mapToLong(node -> tiles(node.ne(0), rows)).sum();
  }

  private static Arguments arguments(Work work, List<Tensor> nodes, long columns) {
    Tensor node = nodes.getFirst();
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    boolean experts = node.operation() instanceof Operation.MatMulId;
    Tensor ids = experts ? node.source(2) : w;
    var arguments =
        new Arguments()
            .tensor(work.address(w), w)
            .tensor(work.address(x), x)
            .word(work.address(node))
            .word(experts ? work.address(ids) : 0)
            .word(experts ? ids.nb(0) : 0)
            .word(experts ? ids.nb(1) : 0)
            .integer(experts ? ids.ne(0) : 1)
            .integer(columns)
            .integer(experts ? 1 : x.ne(2) / w.ne(2))
            .integer(experts ? 1 : x.ne(3) / w.ne(3))
            .integer(KernelType.of(w.type()))
            .integer(nodes.size() - 1);
    for (int i = 1; i < MOST_JOINED; i++) {
      arguments.integer(i < nodes.size() ? nodes.get(i).ne(0) : 0);
    }
    for (int i = 1; i < MOST_JOINED; i++) {
      arguments.word(i < nodes.size() ? work.address(nodes.get(i).source(0)) : 0);
    }
    for (int i = 1; i < MOST_JOINED; i++) {
      arguments.word(i < nodes.size() ? work.address(nodes.get(i)) : 0);
    }
    return arguments;
  }
}
