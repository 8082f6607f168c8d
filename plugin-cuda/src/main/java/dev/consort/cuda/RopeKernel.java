// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;
import java.util.List;

/** Rotary position embedding. */
final class RopeKernel {
  private RopeKernel() {}

  static void emit(Work work, Tensor node, Rope rope) {
    var arguments = new Arguments();
    add(arguments, work, node, rope, work.address(node));
    work.each("elements", "rope", arguments, count(node, rope));
  }

  /**
   * Queries and keys turned, keys and values stored: two rotations and the two settings of rows, of
   * which one stores turned keys, in any order.
   */
  static void stored(Work work, List<Tensor> nodes) {
    Tensor keys = nodes.stream().filter(RopeKernel::storesTurned).findFirst().orElseThrow();
    Tensor turned = keys.source(1);
    Tensor queries =
        nodes.stream()
            .filter(node -> node.operation() instanceof Rope && node != turned)
            .findFirst()
            .orElseThrow();
    Tensor values =
        nodes.stream()
            .filter(node -> node.operation() instanceof Operation.SetRows && node != keys)
            .findFirst()
            .orElseThrow();
    Rope rope = (Rope) queries.operation();
    Tensor v = values.source(1);
    Tensor slots = keys.source(2);
    var arguments = new Arguments();
    add(arguments, work, queries, rope, work.address(queries));
    arguments.align(Long.BYTES);
    add(arguments, work, turned, rope, 0);
    arguments.align(Long.BYTES).tensor(work.address(v), v);
    for (Tensor cache : List.of(keys, values)) {
      arguments
          .align(Long.BYTES)
          .tensor(work.address(cache), cache)
          .integer(KernelType.of(cache.type()));
    }
    arguments.word(work.address(slots)).word(slots.nb(0)).word(v.shape().elements());
    long count = count(queries, rope) + count(turned, rope) + v.shape().elements();
    work.each("elements", "rope_stored", arguments, count);
  }

  private static boolean storesTurned(Tensor node) {
    return node.operation() instanceof Operation.SetRows
        && node.source(1).operation() instanceof Rope;
  }

  private static long count(Tensor node, Rope rope) {
    Tensor x = node.source(0);
    return (x.ne(0) - rope.dims() / 2) * x.shape().rows();
  }

  /** {@code Rope} of elements.cu. */
  private static void add(Arguments arguments, Work work, Tensor node, Rope rope, long result) {
    Tensor x = node.source(0);
    Tensor positions = node.source(1);
    boolean scaled = node.sources().size() == 3;
    boolean yarn = rope.extFactor() != 0;
    double magnitude = rope.attnFactor() * (yarn ? 1 + 0.1 * Math.log(1 / rope.freqScale()) : 1);
    double low = yarn ? Math.max(0, Math.floor(dimension(rope, rope.betaFast()))) : 0;
    double high = yarn ? Math.min(rope.dims() - 1, Math.ceil(dimension(rope, rope.betaSlow()))) : 0;
    arguments
        .tensor(work.address(x), x)
        .word(result)
        .word(work.address(positions))
        .word(scaled ? work.address(node.source(2)) : 0)
        .word(positions.nb(0))
        .word(scaled ? node.source(2).nb(0) : 0)
        .word(count(node, rope))
        .wide(-2.0 / rope.dims() * Math.log(rope.freqBase()) / Math.log(2))
        .real(rope.freqScale())
        .real(rope.extFactor())
        .real((float) magnitude)
        .real((float) low)
        .real((float) high)
        .integer(rope.dims())
        .integer(rope.mode() == Rope.Mode.NEOX ? 1 : 0);
  }

  /** The dimension whose wave turns so many times over the original context. */
  private static double dimension(Rope rope, double turns) {
    return rope.dims()
        * Math.log(rope.originalContext() / (turns * 2 * Math.PI))
        / (2 * Math.log(rope.freqBase()));
  }
}
