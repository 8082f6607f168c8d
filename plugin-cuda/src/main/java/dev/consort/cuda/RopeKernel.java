// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.function.Predicate;

/** Rotary position embedding. */
final class RopeKernel {
  private RopeKernel() {}

  static void emit(Work work, Tensor node, Rope rope) {
    var arguments = new Arguments();
    add(arguments, work, node, rope, work.address(node.source(0)), work.address(node));
    work.each("elements", "rope", arguments, count(node, rope));
  }

  /**
   * Queries and keys turned, keys and values stored: two rotations and two settings of rows.
   *
   * @param queries the rotation
   * @param keys the setting of rows
   * @param values the setting of rows
   */
  record Stored(Tensor queries, Tensor keys, Tensor values) {
    /** Of nodes among which they are, in any order; one setting of rows stores turned keys. */
    static Stored among(List<Tensor> nodes) {
      Tensor keys = find(nodes, Stored::storesTurned);
      Tensor queries =
          find(nodes, node -> node.operation() instanceof Rope && node != keys.source(1));
      Tensor values =
          find(nodes, node -> node.operation() instanceof Operation.SetRows && node != keys);
      return new Stored(queries, keys, values);
    }

    private static Tensor find(List<Tensor> nodes, Predicate<Tensor> which) {
      return nodes.stream().filter(which).findFirst().orElseThrow();
    }

    private static boolean storesTurned(Tensor node) {
      return node.operation() instanceof Operation.SetRows
          && node.source(1).operation() instanceof Rope;
    }

    /** {@code Stored} of rope.cuh; what is turned and stored lies at the addresses given. */
    void add(Arguments arguments, Work work, long q, long k, long v) {
      Rope rope = (Rope) queries.operation();
      Tensor slots = keys.source(2);
      Tensor rows = values.source(1);
      arguments.align(Long.BYTES);
      RopeKernel.add(arguments, work, queries, rope, q, work.address(queries));
      arguments.align(Long.BYTES);
      RopeKernel.add(arguments, work, keys.source(1), rope, k, 0);
      arguments.align(Long.BYTES).tensor(v, rows);
      for (Tensor cache : List.of(keys, values)) {
        arguments
            .align(Long.BYTES)
            .tensor(work.address(cache), cache)
            .integer(KernelType.of(cache.type()));
      }
      arguments.word(work.address(slots)).word(slots.nb(0)).word(rows.shape().elements());
    }
  }

  static void stored(Work work, Stored stored) {
    Tensor q = stored.queries.source(0);
    Tensor k = stored.keys.source(1).source(0);
    Tensor v = stored.values.source(1);
    var arguments = new Arguments();
    stored.add(arguments, work, work.address(q), work.address(k), work.address(v));
    Rope rope = (Rope) stored.queries.operation();
    long turned = count(stored.queries, rope) + count(stored.keys.source(1), rope);
    work.each("elements", "rope_stored", arguments, turned + v.shape().elements());
  }

  private static long count(Tensor node, Rope rope) {
    Tensor x = node.source(0);
    return (x.ne(0) - rope.dims() / 2) * x.shape().rows();
  }

  /** {@code Rope} of elements.cu. */
  private static void add(
      Arguments arguments, Work work, Tensor node, Rope rope, long from, long result) {
    Tensor x = node.source(0);
    Tensor positions = node.source(1);
    boolean scaled = node.sources().size() == 3;
    boolean yarn = rope.extFactor() != 0;
    double magnitude = rope.attnFactor() * (yarn ? 1 + 0.1 * Math.log(1 / rope.freqScale()) : 1);
    double low = yarn ? Math.max(0, Math.floor(dimension(rope, rope.betaFast()))) : 0;
    double high = yarn ? Math.min(rope.dims() - 1, Math.ceil(dimension(rope, rope.betaSlow()))) : 0;
    arguments
        .tensor(from, x)
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
