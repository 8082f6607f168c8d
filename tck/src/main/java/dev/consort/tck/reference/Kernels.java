// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.List;

/** Which kernel computes which operation. Sums are accumulated in double. */
final class Kernels {
  private Kernels() {}

  /**
   * Computes one node.
   *
   * @param result the node's place; for SetRows it is the state's
   */
  static void run(Tensor node, List<Operand> sources, Operand result) {
    switch (node.operation()) {
      case Operation.MatMul op -> MatrixKernels.matMul(sources, result);
      case Operation.MatMulId op -> MatrixKernels.matMulId(sources, result);
      case Operation.GetRows op -> RowKernels.getRows(sources, result);
      case Operation.SetRows op -> RowKernels.setRows(sources, result);
      case Operation.Copy op -> RowKernels.copy(sources, result);
      case Operation.Binary op -> ElementKernels.binary(op, sources, result);
      case Operation.Scale op ->
          ElementKernels.map(sources, result, x -> (float) ((double) x * op.scale() + op.bias()));
      case Operation.Unary op ->
          ElementKernels.map(sources, result, x -> ElementKernels.unary(op.kind(), x));
      case Operation.Clamp op ->
          ElementKernels.map(sources, result, x -> Math.min(Math.max(x, op.min()), op.max()));
      case Operation.Glu op -> ElementKernels.glu(op, sources, result);
      case Operation.RmsNorm op -> ReductionKernels.rmsNorm(op, sources, result);
      case Operation.SoftMax op -> ReductionKernels.softMax(sources, result);
      case Operation.Sum op -> ReductionKernels.sum(op, sources, result);
      case Operation.TopK op -> ReductionKernels.topK(op, sources, result);
      case Operation.Rope op -> RopeKernel.run(op, sources, result);
      case Operation.Attention op -> AttentionKernel.run(op, sources, result);
      case Operation.Leaf op -> throw nothingToCompute(node);
      case Operation.View op -> throw nothingToCompute(node);
      case Operation.AllReduce op -> throw nothingToCompute(node);
    }
  }

  private static ConsortException nothingToCompute(Tensor node) {
    return new ConsortException(ErrorCode.INTERNAL, node + " is not for a kernel");
  }
}
