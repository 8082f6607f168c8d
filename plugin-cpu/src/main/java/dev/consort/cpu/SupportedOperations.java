// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** What the kernels can compute: every operation, with the layouts that they read. */
final class SupportedOperations {
  private SupportedOperations() {}

  static Support supports(Tensor node) {
    return switch (node.operation()) {
      case Operation.MatMul op -> weights(node.source(0));
      case Operation.MatMulId op -> weights(node.source(0));
      case Operation.GetRows op -> table(node.source(0));
      case Operation.SetRows op -> state(node.source(0));
      case Operation.Attention op -> cache(node);
      default -> Support.yes();
    };
  }

  private static Support weights(Tensor w) {
    if (w.type() == DataType.I32) {
      return Support.no("products of I32");
    }
    return w.nb(0) == w.type().blockBytes()
        ? Support.yes()
        : Support.no("gaps along axis 0 of " + w);
  }

  private static Support table(Tensor table) {
    if (table.type() == DataType.I32) {
      return Support.no("rows of I32");
    }
    return table.nb(0) == table.type().blockBytes() || table.type() == DataType.F32
        ? Support.yes()
        : Support.no("gaps along axis 0 of " + table);
  }

  private static Support state(Tensor state) {
    return isFloating(state.type())
        ? Support.yes()
        : Support.no("a state of " + state.type().label());
  }

  private static Support cache(Tensor node) {
    for (int i = 1; i <= 2; i++) {
      Tensor cache = node.source(i);
      if (!isFloating(cache.type())) {
        return Support.no("a cache of " + cache.type().label());
      }
      if (cache.nb(0) != cache.type().blockBytes()) {
        return Support.no("gaps along axis 0 of " + cache);
      }
    }
    return Support.yes();
  }

  private static boolean isFloating(DataType type) {
    return type == DataType.F32 || type == DataType.F16 || type == DataType.BF16;
  }
}
