// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.List;

/** Which kernels compute which operation, and whether they can. */
final class CudaKernels {
  /** Names the kernels' numerics; changes when a change here can change results. */
  static final String VERSION = "4";

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
      case Operation.AllReduce op ->
          op.member() instanceof CudaCommMember && node.source(0).isContiguous()
              ? ""
              : "sums over a comm of another plugin, or with gaps";
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

  /** What {@link Fusion} put together. */
  private static boolean emitFused(Work work, Schedule.Step step) {
    Tensor last = step.last();
    Fusion.sent(step.nodes()).ifPresent(sum -> RingKernels.send(work, sum));
    if (last.operation() instanceof Operation.Binary) {
      norm(work, step.nodes());
    } else if (last.operation() instanceof Operation.Glu) {
      VectorKernels.gated(work, step.nodes());
    } else if (step.nodes().stream().anyMatch(n -> n.operation() instanceof Operation.SetRows)) {
      RopeKernel.Stored stored = RopeKernel.Stored.among(step.nodes());
      List<Tensor> products = Fusion.products(stored);
      if (step.nodes().containsAll(products)) {
        RingKernels.stored(work, step.nodes(), products, stored);
      } else {
        RopeKernel.stored(work, stored);
      }
    } else {
      return false;
    }
    return true;
  }

  private static void norm(Work work, List<Tensor> nodes) {
    Tensor result = nodes.getLast();
    Tensor norm = result.source(0);
    float eps = ((Operation.RmsNorm) norm.operation()).eps();
    long weight = work.address(result.source(1));
    Tensor x = norm.source(0);
    boolean sums = nodes.contains(x);
    long sum = sums ? work.addressIfStored(x) : 0;
    if (sums && nodes.contains(x.source(1))) {
      var after = new ElementKernels.Norm(x.source(0), 0, sum, eps, weight, result);
      var op = (Operation.AllReduce) x.source(1).operation();
      CudaCommMember member = (CudaCommMember) op.member();
      var sender =
          Fusion.sent(nodes).isPresent() ? ReduceKernels.Sender.PRODUCT : ReduceKernels.Sender.SUM;
      member.comm().reduceNorm(work, member.rank(), x.source(1).source(0), sender, after);
    } else if (sums) {
      long other = work.address(x.source(1));
      ElementKernels.addNorm(
          work, new ElementKernels.Norm(x.source(0), other, sum, eps, weight, result));
    } else if (Fusion.isWide(norm)) {
      ElementKernels.addNorm(work, new ElementKernels.Norm(x, 0, 0, eps, weight, result));
    } else {
      ElementKernels.rmsNorm(work, x, eps, weight, result);
    }
  }

  /** Adds the launches that compute a step. */
  static void emit(Work work, Schedule.Step step) {
    Tensor node = step.last();
    if (node.shape().isEmpty()) {
      return;
    }
    if (step.nodes().size() > 1 && emitFused(work, step)) {
      return;
    }
    switch (node.operation()) {
      case Operation.MatMul op -> MatrixKernels.emit(work, step.nodes());
      case Operation.MatMulId op -> MatrixKernels.emit(work, step.nodes());
      case Operation.GetRows op -> RowKernels.gather(work, node);
      case Operation.SetRows op -> RowKernels.scatter(work, node);
      case Operation.Copy op -> ElementKernels.map(work, node, ElementKernels.COPY, 0, 0);
      case Operation.Binary op -> ElementKernels.map(work, node, op.kind().ordinal(), 0, 0);
      case Operation.Glu op -> ElementKernels.glu(work, node, op);
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
      case Operation.AllReduce op -> {
        CudaCommMember member = (CudaCommMember) op.member();
        long from = work.address(node.source(0));
        long to = work.address(node);
        work.add(member.comm().launches(member.rank(), from, to, node.shape().elements()));
      }
      case Operation op -> throw new IllegalStateException("no kernel for " + op);
    }
  }
}
