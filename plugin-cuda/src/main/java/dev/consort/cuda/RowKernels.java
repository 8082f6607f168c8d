// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;

/** Gathering and scattering rows. */
final class RowKernels {
  private static final String FILE = "rows";
  private static final int THREADS = 128;

  private RowKernels() {}

  static String whyNotGather(Tensor node) {
    Tensor table = node.source(0);
    DataType type = table.type();
    if (!KernelType.isKnown(type)) {
      return "rows of " + type.label();
    }
    return type.isQuantized() && table.nb(0) != type.blockBytes()
        ? "gaps along axis 0 of " + table
        : "";
  }

  static String whyNotScatter(Tensor node) {
    Tensor state = node.source(0);
    return KernelType.isFloating(state.type()) ? "" : "a state of type " + state.type().label();
  }

  static void gather(Work work, Tensor node) {
    Tensor table = node.source(0);
    Tensor ids = node.source(1);
    var arguments =
        new Arguments()
            .tensor(work.address(table), table)
            .tensor(work.address(ids), ids)
            .word(work.address(node));
    work.grid(
        FILE, "get_rows_" + table.type().label(), arguments, THREADS, node.shape().rows(), 1, 1);
  }

  static void scatter(Work work, Tensor node) {
    Tensor state = node.source(0);
    Tensor source = node.source(1);
    Tensor ids = node.source(2);
    if (source.shape().isEmpty()) {
      return;
    }
    var arguments =
        new Arguments()
            .tensor(work.address(node), node)
            .tensor(work.address(source), source)
            .word(work.address(ids))
            .word(ids.nb(0))
            .integer(Math.max(1, state.shape().lastAxis()))
            .integer(KernelType.of(state.type()));
    work.grid(FILE, "set_rows", arguments, THREADS, source.shape().rows(), 1, 1);
  }
}
