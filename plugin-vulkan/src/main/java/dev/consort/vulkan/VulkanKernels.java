// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.List;

/** Which kernels compute which operation, and whether they can. */
final class VulkanKernels {
  private VulkanKernels() {}

  /** Names the kernels' numerics; changes when a change here can change results. */
  static final String VERSION = "1";

  static Support supports(Tensor node) {
    String reason = whyNot(node);
    return reason.isEmpty() ? Support.yes() : Support.no(reason);
  }

  private static String whyNot(Tensor node) {
    if (node.isLeaf() || node.isView() || node.shape().isEmpty()) {
      return "";
    }
    if (ElementKernels.tooLarge(node)) {
      return node + " has more than 2^31 elements";
    }
    Tensor x = node.source(0);
    return switch (node.operation()) {
      case Operation.MatMul op -> MatMulKernels.whyNot(node);
      case Operation.MatMulId op -> MatMulKernels.whyNot(node);
      case Operation.GetRows op -> indexed(x, node.source(1));
      case Operation.SetRows op -> setRows(node);
      case Operation.RmsNorm op -> ElementKernels.whyNotRows(x);
      case Operation.SoftMax op -> ElementKernels.whyNotRows(x);
      case Operation.TopK op ->
          x.shape().rows() != x.ne(1)
              ? x + " has more than two axes"
              : ElementKernels.whyNotRows(x);
      case Operation.Rope op -> rope(node);
      case Operation.Attention op -> AttentionKernels.whyNot(node);
      case Operation.Copy op -> x.type() == DataType.I32 ? "copies of i32" : "";
      case Operation.AllReduce op -> "reductions inside a plan";
      case Operation op -> "";
    };
  }

  private static String indexed(Tensor table, Tensor ids) {
    if (table.nb(0) != table.type().blockBytes() && table.ne(0) > 1) {
      return table + " is strided along axis 0";
    }
    if (table.type() == DataType.I32) {
      return "a table of type i32";
    }
    if (table.nb(1) > 0xffffffffL || (table.ne(2) > 1 && table.nb(2) > 0xffffffffL)) {
      return table + " has a stride above 4 GiB";
    }
    return ids.nb(0) == 4 || ids.ne(0) <= 1 ? "" : ids + " is strided along axis 0";
  }

  private static String setRows(Tensor node) {
    Tensor state = node.source(0);
    Tensor source = node.source(1);
    DataType type = state.type();
    if (type != DataType.F32 && type != DataType.F16 && type != DataType.BF16) {
      return "a state of type " + type.label();
    }
    if (state.shape().lastAxis() == 3 && source.nb(2) != source.nb(1) * source.ne(1)) {
      return source + " has gaps between the rows of a state with four axes";
    }
    return ElementKernels.whyNotRows(source);
  }

  private static String rope(Tensor node) {
    Tensor x = node.source(0);
    return x.ne(3) != 1 ? x + " has four axes" : ElementKernels.whyNotRows(x);
  }

  /** Bytes of scratch that the step's kernels use. */
  static long scratchBytes(Schedule.Step step, Tuning tuning) {
    Tensor node = step.last();
    if (node.shape().isEmpty()) {
      return 0;
    }
    return switch (node.operation()) {
      case Operation.MatMul op -> MatMulKernels.scratchBytes(node, tuning);
      case Operation.MatMulId op -> MatMulKernels.scratchBytes(node, tuning);
      case Operation.Attention op -> AttentionKernels.scratchBytes(node, tuning);
      default -> 0;
    };
  }

  /** Adds the dispatches that compute a step. */
  static void emit(Work work, Schedule.Step step) {
    Tensor node = step.last();
    if (node.shape().isEmpty()) {
      return;
    }
    if (step.nodes().size() == 2
        && step.nodes().getFirst().operation() instanceof Operation.RmsNorm norm) {
      Tensor x = step.nodes().getFirst().source(0);
      ElementKernels.rmsNorm(work, x, norm.eps(), List.of(node.source(1)), node);
      return;
    }
    switch (node.operation()) {
      case Operation.MatMul op -> MatMulKernels.emit(work, node);
      case Operation.MatMulId op -> MatMulKernels.emit(work, node);
      case Operation.GetRows op -> CopyKernels.getRows(work, node);
      case Operation.SetRows op -> CopyKernels.setRows(work, node);
      case Operation.Copy op -> CopyKernels.copy(work, node);
      case Operation.Binary op -> ElementKernels.binary(work, node, op.kind());
      case Operation.Glu op -> ElementKernels.glu(work, node, op);
      case Operation.Unary op -> ElementKernels.unary(work, node, op.kind().ordinal(), 0, 0);
      case Operation.Scale op -> ElementKernels.unary(work, node, 8, op.scale(), op.bias());
      case Operation.Clamp op -> ElementKernels.unary(work, node, 9, op.min(), op.max());
      case Operation.RmsNorm op ->
          ElementKernels.rmsNorm(work, node.source(0), op.eps(), List.of(), node);
      case Operation.SoftMax op -> ElementKernels.softMax(work, node);
      case Operation.Sum op -> ElementKernels.sum(work, node, op.axis());
      case Operation.TopK op -> ElementKernels.topK(work, node, op.k());
      case Operation.Rope op -> ElementKernels.rope(work, node, op);
      case Operation.Attention op -> AttentionKernels.emit(work, node, op);
      case Operation op -> throw new IllegalStateException("no kernel for " + op);
    }
  }
}
