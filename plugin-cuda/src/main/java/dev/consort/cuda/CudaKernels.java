// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** Which kernels compute which operation, and whether they can. */
final class CudaKernels {
  /** Names the kernels' numerics; changes when a change here can change results. */
  static final String VERSION = "1";

  /** The largest extent of a grid on its second and third axis. */
  static final long MOST_BLOCKS = 65535;

  private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

  private CudaKernels() {}

  static Support supports(Tensor node) {
    String reason = whyNot(node);
    return reason.isEmpty() ? Support.yes() : Support.no(reason);
  }

  private static String whyNot(Tensor node) {
    if (node.isLeaf() || node.isView() || node.shape().isEmpty()) {
      return "";
    }
    if (node.base().isEmpty() && node.shape().elements() > MOST_ELEMENTS) {
      return node + " has more than 2^31 elements";
    }
    return switch (node.operation()) {
      case Operation.MatMul op -> MatrixKernels.whyNot(node);
      case Operation.MatMulId op -> MatrixKernels.whyNot(node);
      case Operation.GetRows op -> RowKernels.whyNotGather(node);
      case Operation.SetRows op -> RowKernels.whyNotScatter(node);
      case Operation.TopK op ->
          node.source(0).shape().rows() == node.source(0).ne(1)
              ? ""
              : node.source(0) + " has more than two axes";
      case Operation.Attention op -> AttentionKernels.whyNot(node);
      case Operation.Copy op -> node.source(0).type() == DataType.I32 ? "copies of i32" : "";
      case Operation.AllReduce op -> "reductions inside a plan";
      case Operation op -> "";
    };
  }

  /** Bytes of scratch that the step's kernels use. */
  static long scratchBytes(Schedule.Step step, int processors) {
    Tensor node = step.last();
    return node.operation() instanceof Operation.Attention && !node.shape().isEmpty()
        ? AttentionKernels.scratchBytes(node, processors)
        : 0;
  }

  /** Adds the launches that compute a step. */
  static void emit(Work work, Schedule.Step step) {
    Tensor node = step.last();
    if (node.shape().isEmpty()) {
      return;
    }
    if (step.nodes().size() == 2
        && step.nodes().getFirst().operation() instanceof Operation.RmsNorm norm) {
      Tensor x = step.nodes().getFirst().source(0);
      ElementKernels.rmsNorm(work, x, norm.eps(), work.address(node.source(1)), node);
      return;
    }
    switch (node.operation()) {
      case Operation.MatMul op -> MatrixKernels.emit(work, step.nodes());
      case Operation.MatMulId op -> MatrixKernels.emit(work, step.nodes());
      case Operation.GetRows op -> RowKernels.gather(work, node);
      case Operation.SetRows op -> RowKernels.scatter(work, node);
      case Operation.Copy op -> ElementKernels.map(work, node, ElementKernels.COPY, 0, 0);
      case Operation.Binary op -> ElementKernels.map(work, node, op.kind().ordinal(), 0, 0);
      case Operation.Glu op ->
          ElementKernels.map(
              work, node, ElementKernels.GLU + op.kind().ordinal(), op.alpha(), op.limit());
      case Operation.Unary op ->
          ElementKernels.map(work, node, ElementKernels.UNARY + op.kind().ordinal(), 0, 0);
      case Operation.Scale op ->
          ElementKernels.map(work, node, ElementKernels.SCALE, op.scale(), op.bias());
      case Operation.Clamp op ->
          ElementKernels.map(work, node, ElementKernels.CLAMP, op.min(), op.max());
      case Operation.RmsNorm op -> ElementKernels.rmsNorm(work, node.source(0), op.eps(), 0, node);
      case Operation.SoftMax op -> ElementKernels.softMax(work, node);
      case Operation.Sum op -> ElementKernels.sum(work, node, op.axis());
      case Operation.TopK op -> ElementKernels.topK(work, node, op.k());
      case Operation.Rope op -> RopeKernel.emit(work, node, op);
      case Operation.Attention op -> AttentionKernels.emit(work, node, op);
      case Operation op -> throw new IllegalStateException("no kernel for " + op);
    }
  }
}
