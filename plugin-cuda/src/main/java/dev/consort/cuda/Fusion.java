// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.List;

/**
 * Nodes that one kernel computes: addition, norm and weight, with a small sum over members ahead of
 * them; a gate and what it opens; rotation of queries and keys with the storing of keys and values.
 */
final class Fusion {
  private Fusion() {}

  /** What could be fused for the sake of a node, the best first. */
  static List<List<Tensor>> candidates(Tensor node) {
    if (isWeightedNorm(node)) {
      Tensor norm = node.source(0);
      Tensor sum = norm.source(0);
      List<Tensor> plain = List.of(norm, node);
      if (!isSum(sum) || !isWide(norm)) {
        return List.of(plain);
      }
      List<Tensor> added = List.of(sum, norm, node);
      return CudaComm.reducesWithNorm(sum.source(1))
          ? List.of(List.of(sum.source(1), sum, norm, node), added, plain)
          : List.of(added, plain);
    }
    if (VectorKernels.isGated(node)) {
      return List.of(List.of(node.source(0), node.source(1), node));
    }
    return node.operation() instanceof Operation.Attention ? stored(node) : List.of();
  }

  /** Whether only the group's own nodes may read it, because it goes nowhere. */
  static boolean isInternal(Tensor node, List<Tensor> group) {
    return switch (node.operation()) {
      case Operation.RmsNorm op -> true;
      case Operation.MatMul op -> true;
      case Operation.AllReduce op -> true;
      case Operation.Rope op -> group.stream().anyMatch(other -> stores(other, node));
      default -> false;
    };
  }

  private static boolean stores(Tensor node, Tensor rows) {
    return node.operation() instanceof Operation.SetRows && node.source(1) == rows;
  }

  private static boolean isWeightedNorm(Tensor node) {
    if (!(node.operation() instanceof Operation.Binary op)
        || op.kind() != Operation.Binary.Kind.MUL) {
      return false;
    }
    Tensor norm = node.source(0);
    Tensor weight = node.source(1);
    return norm.operation() instanceof Operation.RmsNorm
        && weight.isLeaf()
        && weight.type() == DataType.F32
        && weight.ne(0) == norm.ne(0)
        && weight.shape().rows() == 1
        && weight.isContiguous()
        && !norm.shape().isEmpty();
  }

  private static boolean isSum(Tensor node) {
    return node.operation() instanceof Operation.Binary op
        && op.kind() == Operation.Binary.Kind.ADD
        && isPlain(node.source(0))
        && isPlain(node.source(1))
        && node.source(0).shape().equals(node.source(1).shape());
  }

  /** F32 without gaps, aligned to 16 bytes. */
  static boolean isPlain(Tensor x) {
    return x.isContiguous() && x.type() == DataType.F32 && x.offset() % 16 == 0;
  }

  /** Whether the norm's rows suit the fused kernel. */
  static boolean isWide(Tensor norm) {
    return norm.ne(0) % 32 == 0 && isPlain(norm.source(0));
  }

  /** The nodes ahead of an attention that turn its queries and store its keys and values. */
  private static List<List<Tensor>> stored(Tensor attention) {
    Tensor q = attention.source(0);
    Tensor k = attention.source(1);
    Tensor v = attention.source(2);
    boolean kinds =
        q.operation() instanceof Operation.Rope
            && k.operation() instanceof Operation.SetRows
            && v.operation() instanceof Operation.SetRows
            && k.source(1).operation() instanceof Operation.Rope;
    if (!kinds) {
      return List.of();
    }
    Tensor turned = k.source(1);
    boolean alike =
        q.operation().equals(turned.operation())
            && q.sources()
                .subList(1, q.sources().size())
                .equals(turned.sources().subList(1, turned.sources().size()))
            && k.source(2) == v.source(2)
            && isCache(k, turned)
            && isCache(v, v.source(1))
            && !q.shape().isEmpty()
            && !turned.shape().isEmpty();
    return alike ? List.of(List.of(q, turned, k, v)) : List.of();
  }

  /** Whether the state has a cell for each slice of axis 2. */
  private static boolean isCache(Tensor state, Tensor rows) {
    return state.shape().lastAxis() == 2
        && KernelType.isFloating(state.type())
        && rows.ne(3) == 1
        && !rows.shape().isEmpty();
  }
}
