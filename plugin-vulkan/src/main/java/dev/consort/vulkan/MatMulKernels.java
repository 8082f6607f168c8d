// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Strides;
import dev.consort.api.Tensor;
import java.util.List;

/**
 * Matrix products. Few columns go through {@code matvec}, many through {@code matmul}; both read 16
 * values of a row at a time and 16 bytes of {@code x}; so many that matrix cores pay, where there
 * are any, through {@link MatrixCores}. What does not fit that goes through {@code matmulany}, or,
 * if only {@code x} does not, through a copy of it.
 */
final class MatMulKernels {
  private MatMulKernels() {}

  static long scratchBytes(Tensor node, Tuning tuning) {
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    if (node.shape().isEmpty() || !fast(w)) {
      return 0;
    }
    long copy = aligned(x) ? 0 : round(x.bytes());
    if (MatrixCores.take(node, tuning)) {
      return copy + MatrixCores.scratchBytes(node);
    }
    return copy + (byExpert(node) && many(node, tuning) ? listBytes(node) : 0);
  }

  private static boolean byExpert(Tensor node) {
    return node.sources().size() == 3;
  }

  /** Whether a product by expert has so many tokens that experts are worth grouping. */
  private static boolean many(Tensor node, Tuning tuning) {
    return node.ne(2) > tuning.vectorLimit() / 2;
  }

  private static long listBytes(Tensor node) {
    return round(4 * node.source(0).ne(2) * (1 + node.ne(1) * node.ne(2)));
  }

  static long round(long bytes) {
    return (bytes + 255) & -256;
  }

  /** Whether rows are whole runs of 16 values, and those of floats are aligned to 16 bytes. */
  private static boolean fast(Tensor w) {
    return w.nb(0) == w.type().blockBytes()
        && w.ne(0) % 16 == 0
        && w.ne(0) > 0
        && (w.type().isQuantized() || (w.offset() | w.nb(1) | w.nb(2) | w.nb(3)) % 16 == 0);
  }

  private static boolean aligned(Tensor x) {
    return x.nb(0) == 4
        && x.offset() % 16 == 0
        && (x.ne(1) == 1 || x.nb(1) % 16 == 0)
        && (x.ne(2) == 1 || x.nb(2) % 16 == 0)
        && (x.ne(3) == 1 || x.nb(3) % 16 == 0);
  }

  static String whyNot(Tensor node) {
    Tensor w = node.source(0);
    if (w.type() == DataType.I32) {
      return "weights of type i32";
    }
    if (!fast(w) && w.type().isQuantized() && w.ne(0) > 0) {
      return w + " has gaps in its rows";
    }
    for (int axis = 1; axis < Shape.AXES; axis++) {
      if (w.ne(axis) > 1 && w.nb(axis) > 0xffffffffL) {
        return w + " has a stride above 4 GiB";
      }
    }
    return "";
  }

  /** Where {@code x} is, as the kernels take it. */
  private record Columns(Place place, Strides strides) {}

  static void emit(Work work, Tensor node) {
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    if (!fast(w)) {
      any(work, node);
      return;
    }
    Columns columns = new Columns(work.place(x), x.strides());
    long used = 0;
    if (!aligned(x)) {
      Place copy = new Place(work.scratch(round(x.bytes())).address(), x.bytes());
      CopyKernels.copy(work, x, work.place(x), DataType.F32, copy);
      columns = new Columns(copy, Strides.contiguous(DataType.F32, x.shape()));
      used = round(x.bytes());
    }
    if (byExpert(node)) {
      if (many(node, work.tuning())) {
        grouped(work, node, columns, used);
      } else {
        vectorById(work, node, columns);
      }
    } else if (node.ne(1) <= work.tuning().vectorLimit()) {
      vector(work, node, columns);
    } else if (MatrixCores.take(node, work.tuning())) {
      MatrixCores.emit(work, node, columns.place(), columns.strides(), used);
    } else {
      tiles(work, node, columns);
    }
  }

  private static Push shape(Push push, Tensor node, Columns x) {
    Tensor w = node.source(0);
    boolean id = byExpert(node);
    long xColumn = id ? x.strides().nb2() : x.strides().nb1();
    boolean single = id && node.source(1).ne(1) == 1;
    return push.u32(node.ne(0), id ? node.ne(1) * node.ne(2) : node.ne(1), w.ne(0) / 16)
        .u32(stride(w, 1), stride(w, 2), stride(w, 3))
        .u32(xColumn / 4)
        .u32(id ? (single ? 0 : x.strides().nb1() / 4) : x.strides().nb2() / 4)
        .u32(id ? 0 : x.strides().nb3() / 4)
        .u32(id ? 1 : node.ne(2))
        .u32(id ? 1 : Math.max(1, node.ne(2) / Math.max(1, w.ne(2))))
        .u32(id ? 1 : Math.max(1, node.ne(3) / Math.max(1, w.ne(3))));
  }

  private static long stride(Tensor tensor, int axis) {
    return tensor.ne(axis) > 1 ? tensor.nb(axis) : 0;
  }

  /** Rows of a subgroup: as many as leave enough subgroups to fill the device. */
  private static int rows(Tuning tuning, long rows, long others) {
    long most = Math.max(1, rows * others / tuning.streams());
    return (int) Math.min(tuning.vectorRows(), Long.highestOneBit(most));
  }

  private static void vector(Work work, Tensor node, Columns x) {
    Tuning tuning = work.tuning();
    Place w = work.place(node.source(0));
    Place y = work.place(node);
    int columns = Integer.highestOneBit((int) Math.min(tuning.vectorColumns(), node.ne(1)) * 2 - 1);
    var push = new Push().address(w.address()).address(x.place().address());
    shape(push.address(y.address()).address(0), node, x).u32(1, 0);
    long batches = node.ne(2) * node.ne(3);
    int own = rows(tuning, node.ne(0), batches * ((node.ne(1) + columns - 1) / columns));
    int subgroups = subgroups(tuning, own, node.ne(0));
    long rows = (long) own * subgroups;
    work.grid(
        "matvec-" + node.source(0).type().label(),
        new int[] {tuning.lanes() * subgroups, columns, own, 0},
        push,
        (node.ne(0) + rows - 1) / rows,
        (node.ne(1) + columns - 1) / columns,
        batches,
        List.of(w, x.place()),
        y);
  }

  /** More than usual where one dimension of the grid would not hold the rows. */
  private static int subgroups(Tuning tuning, int own, long rows) {
    int subgroups = tuning.vectorSubgroups();
    while (rows / ((long) subgroups * own) > 60000) {
      subgroups *= 2;
    }
    return subgroups;
  }

  private static void vectorById(Work work, Tensor node, Columns x) {
    Tuning tuning = work.tuning();
    Tensor ids = node.source(2);
    Place w = work.place(node.source(0));
    Place y = work.place(node);
    Place chosen = work.place(ids);
    var push = new Push().address(w.address()).address(x.place().address());
    push.address(y.address()).address(chosen.address());
    long pairs = node.ne(1) * node.ne(2);
    shape(push, node, x).u32(ids.ne(0), ids.nb(1) / 4);
    int own = rows(tuning, node.ne(0), pairs);
    int subgroups = subgroups(tuning, own, node.ne(0));
    long rows = (long) own * subgroups;
    work.grid(
        "matvec-" + node.source(0).type().label(),
        new int[] {tuning.lanes() * subgroups, 1, own, 1},
        push,
        (node.ne(0) + rows - 1) / rows,
        pairs,
        1,
        List.of(w, x.place(), chosen),
        y);
  }

  private static void tiles(Work work, Tensor node, Columns x) {
    Place w = work.place(node.source(0));
    Place y = work.place(node);
    var push = new Push().address(w.address()).address(x.place().address());
    shape(push.address(y.address()).address(0), node, x).u32(1, 1);
    tile(work, node, push, 0, node.ne(1), node.ne(2) * node.ne(3), List.of(w, x.place()), y);
  }

  private static void grouped(Work work, Tensor node, Columns x, long used) {
    Tensor ids = node.source(2);
    long experts = node.source(0).ne(2);
    Place w = work.place(node.source(0));
    Place y = work.place(node);
    Place chosen = work.place(ids);
    long bytes = listBytes(node);
    Place lists = new Place(work.scratch(used + bytes).address() + used, bytes);
    work.groups(
        "group",
        new int[] {work.tuning().row()},
        new Push()
            .address(chosen.address())
            .address(lists.address())
            .address(y.address())
            .u32(ids.ne(0), ids.ne(1), experts, ids.nb(1) / 4, node.ne(0)),
        experts + 1,
        List.of(chosen),
        lists,
        y);
    var push = new Push().address(w.address()).address(x.place().address());
    shape(push.address(y.address()).address(lists.address()), node, x).u32(ids.ne(0), experts);
    long pairs = node.ne(1) * node.ne(2);
    tile(work, node, push, 1, pairs, experts, List.of(w, x.place(), lists), y);
  }

  private static void tile(
      Work work, Tensor node, Push push, int ids, long columns, long z, List<Place> in, Place y) {
    DataType type = node.source(0).type();
    Tile tile = Tile.of(work.tuning(), ids == 1 ? 2 * columns / z : columns);
    work.grid(
        "matmul-" + type.label(),
        tile.constants(ids),
        push,
        (node.ne(0) + tile.rows() - 1) / tile.rows(),
        (columns + tile.columns() - 1) / tile.columns(),
        z,
        in,
        y);
  }

  private static void any(Work work, Tensor node) {
    Tensor w = node.source(0);
    Tensor x = node.source(1);
    boolean id = byExpert(node);
    Place weights = work.place(w);
    Place values = work.place(x);
    Place y = work.place(node);
    Place ids = id ? work.place(node.source(2)) : Place.NONE;
    long columns = id ? node.ne(1) * node.ne(2) : node.ne(1);
    int size = w.type().blockBytes();
    var push =
        new Push()
            .address(weights.address())
            .address(values.address())
            .address(y.address())
            .address(ids.address())
            .u32(node.ne(0), columns, w.ne(0))
            .u32(w.type().isQuantized() ? 0 : w.nb(0) / size)
            .u32(stride(w, 1), stride(w, 2), stride(w, 3), x.nb(0) / 4);
    if (id) {
      push.u32(x.nb(2) / 4, x.ne(1) == 1 ? 0 : x.nb(1) / 4, 0, 1, 1, 1, 1);
      push.u32(node.ne(1), node.source(2).nb(1) / 4);
    } else {
      push.u32(x.nb(1) / 4, x.nb(2) / 4, x.nb(3) / 4, node.ne(2), node.ne(3));
      push.u32(Math.max(1, node.ne(2) / Math.max(1, w.ne(2))));
      push.u32(Math.max(1, node.ne(3) / Math.max(1, w.ne(3)))).u32(1, 0);
    }
    // A product over no elements is zero whatever the type.
    DataType type = w.type().isQuantized() ? DataType.F32 : w.type();
    work.each(
        "matmulany-" + type.label(),
        new int[] {work.tuning().flat(), id ? 1 : 0},
        push,
        node.shape().elements(),
        List.of(weights, values, ids),
        y);
  }
}
