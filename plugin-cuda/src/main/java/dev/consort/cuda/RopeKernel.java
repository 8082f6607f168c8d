// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/** Rotary position embedding. */
final class RopeKernel {
  private RopeKernel() {}

  static void emit(Work work, Tensor node, Rope rope) {
    Tensor x = node.source(0);
    Tensor positions = node.source(1);
    boolean scaled = node.sources().size() == 3;
    boolean yarn = rope.extFactor() != 0;
    long slots = (x.ne(0) - rope.dims() / 2) * x.shape().rows();
    double magnitude = rope.attnFactor() * (yarn ? 1 + 0.1 * Math.log(1 / rope.freqScale()) : 1);
    double low = yarn ? Math.max(0, Math.floor(dimension(rope, rope.betaFast()))) : 0;
    double high = yarn ? Math.min(rope.dims() - 1, Math.ceil(dimension(rope, rope.betaSlow()))) : 0;
    var arguments =
        new Arguments()
            .tensor(work.address(x), x)
            .word(work.address(node))
            .word(work.address(positions))
            .word(scaled ? work.address(node.source(2)) : 0)
            .word(positions.nb(0))
            .word(scaled ? node.source(2).nb(0) : 0)
            .word(slots)
            .wide(-2.0 / rope.dims() * Math.log(rope.freqBase()) / Math.log(2))
            .real(rope.freqScale())
            .real(rope.extFactor())
            .real((float) magnitude)
            .real((float) low)
            .real((float) high)
            .integer(rope.dims())
            .integer(rope.mode() == Rope.Mode.NEOX ? 1 : 0);
    work.each("elements", "rope", arguments, slots);
  }

  /** The dimension whose wave turns so many times over the original context. */
  private static double dimension(Rope rope, double turns) {
    return rope.dims()
        * Math.log(rope.originalContext() / (turns * 2 * Math.PI))
        / (2 * Math.log(rope.freqBase()));
  }
}
