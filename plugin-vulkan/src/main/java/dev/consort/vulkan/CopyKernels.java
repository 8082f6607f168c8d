// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;
import java.util.List;

/** Kernels that move values: copies between types, rows of tables and states. */
final class CopyKernels {
  private CopyKernels() {}

  private static int width(DataType type) {
    return switch (type) {
      case F16 -> 1;
      case BF16 -> 2;
      default -> 0;
    };
  }

  /** A contiguous copy of {@code x} in another place and type. */
  static void copy(Work work, Tensor x, Place from, DataType type, Place to) {
    int size = x.type().blockBytes();
    long total = x.shape().elements();
    var push = new Push().address(from.address()).address(to.address());
    push.u32(x.ne(0), x.ne(1), x.ne(2), total);
    push.u32(x.nb(0) / size, x.nb(1) / size, x.nb(2) / size, x.nb(3) / size);
    long words = type == DataType.F32 ? total : (total + 1) / 2;
    int[] constants = {work.tuning().flat(), width(x.type()), width(type)};
    work.each("copy", constants, push, words, List.of(from), to);
  }

  static void copy(Work work, Tensor node) {
    Tensor x = node.source(0);
    copy(work, x, work.place(x), node.type(), work.place(node));
  }

  static void getRows(Work work, Tensor node) {
    Tensor table = node.source(0);
    Tensor ids = node.source(1);
    Place from = work.place(table);
    Place chosen = work.place(ids);
    Place y = work.place(node);
    var push =
        new Push()
            .address(from.address())
            .address(chosen.address())
            .address(y.address())
            .u32(node.ne(0), node.ne(1), node.ne(2))
            .u32(table.nb(1), table.ne(2) > 1 ? table.nb(2) : 0)
            .u32(ids.nb(1) / 4);
    long steps = node.shape().elements() / (table.type().isQuantized() ? 8 : 1);
    String shader = "getrows-" + table.type().label();
    work.each(shader, new int[] {work.tuning().flat()}, push, steps, List.of(from, chosen), y);
  }

  static void setRows(Work work, Tensor node) {
    Tensor state = node.source(0);
    Tensor source = node.source(1);
    Tensor ids = node.source(2);
    Place from = work.place(source);
    Place chosen = work.place(ids);
    Place to = work.place(node);
    int axis = Math.max(1, state.shape().lastAxis());
    // Axes between the first and the last are walked as one, which a contiguous source allows.
    long middle = 1;
    for (int i = 1; i < axis; i++) {
      middle *= state.ne(i);
    }
    long sourceMiddle = axis > 1 ? source.nb(1) / 4 : 0;
    var push =
        new Push()
            .address(to.address())
            .address(from.address())
            .address(chosen.address())
            .u32(state.ne(0), middle, ids.ne(0), state.ne(0))
            .u32(state.nb(axis), sourceMiddle, source.nb(axis) / 4, state.ne(axis));
    boolean whole = state.type() == DataType.F32;
    long per = whole ? state.ne(0) : (state.ne(0) + 1) / 2;
    work.each(
        "setrows",
        new int[] {work.tuning().flat(), width(state.type())},
        push,
        per * middle * ids.ne(0),
        List.of(from, chosen),
        to);
  }
}
