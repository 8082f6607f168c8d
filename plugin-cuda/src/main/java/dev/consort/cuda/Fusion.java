// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Nodes that one kernel computes: addition, norm and weight, with a small sum over members ahead of
 * them; a gate and what it opens; rotation of queries and keys with the storing of keys and values.
 * And a product with these, if it makes the term of the sum: a kernel of its own that sends it.
 */
final class Fusion {
  private Fusion() {}

  /** What could be fused for the sake of a node, the best first; products before norms. */
  static List<List<Tensor>> candidates(Tensor node, Chip chip) {
    if (isWeightedNorm(node)) {
      Tensor norm = node.source(0);
      Tensor sum = norm.source(0);
      List<Tensor> plain = List.of(norm, node);
      if (!isSum(sum) || !isWide(norm)) {
        return List.of(plain);
      }
      List<Tensor> added = List.of(sum, norm, node);
      List<List<Tensor>> groups = new ArrayList<>();
      reduced(sum, chip).forEach(ahead -> groups.add(join(ahead, added)));
      groups.add(added);
      groups.add(plain);
      return groups;
    }
    if (VectorKernels.isGated(node)) {
      List<Tensor> products = List.of(node.source(0), node.source(1));
      List<Tensor> plain = List.of(node.source(0), node.source(1), node);
      return RingKernels.fits(chip, products) ? normed(products, plain, chip) : List.of(plain);
    }
    return node.operation() instanceof Operation.Attention ? stored(node, chip) : List.of();
  }

  /**
   * The sums over members that go before an addition: with the product that makes the term and
   * sends it, if there is one, and without.
   */
  private static List<List<Tensor>> reduced(Tensor addition, Chip chip) {
    Tensor sum = addition.source(1);
    if (!CudaComm.reducesWithNorm(sum)) {
      return List.of();
    }
    return sends(sum, chip)
        ? List.of(List.of(origin(sum.source(0)), sum), List.of(sum))
        : List.of(List.of(sum));
  }

  /** Whether the product that makes a term can send it to the other members itself. */
  private static boolean sends(Tensor sum, Chip chip) {
    Tensor term = origin(sum.source(0));
    return CudaComm.takesSent(sum)
        && VectorKernels.isVector(term)
        && term.ne(0) % 4 == 0
        && RingKernels.fits(chip, List.of(term));
  }

  /** The sum over members in a group of nodes whose term a product in it sends. */
  static Optional<Tensor> sent(List<Tensor> group) {
    return group.stream()
        .filter(node -> node.operation() instanceof Operation.AllReduce)
        .filter(node -> group.contains(node.source(0).root()))
        .findFirst();
  }

  private static List<Tensor> join(List<Tensor> first, List<Tensor> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /** Whether only the group's own nodes may read it, because it goes nowhere. */
  static boolean isInternal(Tensor node, List<Tensor> group) {
    return switch (node.operation()) {
      case Operation.RmsNorm op -> true;
      case Operation.MatMul op -> true;
      case Operation.AllReduce op -> true;
      case Operation.Binary op -> isWeightedNorm(node) && isMultiplied(node, group);
      case Operation.Rope op -> group.stream().anyMatch(other -> stores(other, node));
      default -> false;
    };
  }

  private static boolean isMultiplied(Tensor node, List<Tensor> group) {
    return group.stream()
        .anyMatch(
            other -> other.operation() instanceof Operation.MatMul && other.source(1) == node);
  }

  private static boolean stores(Tensor node, Tensor rows) {
    return node.operation() instanceof Operation.SetRows && node.source(1) == rows;
  }

  /** A norm and its weight. */
  static boolean isWeightedNorm(Tensor node) {
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

  /**
   * The nodes ahead of an attention that turn its queries and store its keys and values, with the
   * products that give these if there is one token.
   */
  private static List<List<Tensor>> stored(Tensor attention, Chip chip) {
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
    if (!alike) {
      return List.of();
    }
    List<Tensor> plain = List.of(q, turned, k, v);
    List<Tensor> products = products(new RopeKernel.Stored(q, k, v));
    if (!products.stream().allMatch(VectorKernels::isVector) || !canStore(products, q, turned)) {
      return List.of(plain);
    }
    return RingKernels.fits(chip, products)
        ? Stream.concat(normed(products, join(products, plain), chip).stream(), Stream.of(plain))
            .toList()
        : List.of(plain);
  }

  /** Nodes around products, first with what makes their activations, then without. */
  private static List<List<Tensor>> normed(List<Tensor> products, List<Tensor> nodes, Chip chip) {
    Tensor made = products.getFirst().source(1);
    boolean makes = RingKernels.makes(products.getFirst());
    if (!makes || !isWeightedNorm(made) || !isWide(made.source(0)) || !isPlain(made)) {
      return List.of(nodes);
    }
    Tensor norm = made.source(0);
    Tensor sum = norm.source(0);
    List<Tensor> ahead = isSum(sum) ? List.of(sum, norm, made) : List.of(norm, made);
    if (!isSum(sum) || !CudaComm.reducesWithNorm(sum.source(1))) {
      return List.of(join(ahead, nodes), nodes);
    }
    return sends(sum.source(1), chip)
        ? List.of(join(reduced(sum, chip).getFirst(), join(ahead, nodes)), nodes)
        : List.of(nodes);
  }

  /** What the queries, keys and values come from. */
  static List<Tensor> products(RopeKernel.Stored stored) {
    return Stream.of(
            stored.queries().source(0),
            stored.keys().source(1).source(0),
            stored.values().source(1))
        .map(Fusion::origin)
        .toList();
  }

  /** What a tensor is all of, without gaps. */
  private static Tensor origin(Tensor x) {
    boolean whole = x.isContiguous() && x.shape().elements() == x.root().shape().elements();
    return whole ? x.root() : x;
  }

  /** Whether products that are of one kind give pairs of elements that are turned together. */
  private static boolean canStore(List<Tensor> products, Tensor queries, Tensor keys) {
    return MatrixKernels.join(products.get(0), products.get(1))
        && MatrixKernels.join(products.get(0), products.get(2))
        && products.stream().distinct().count() == products.size()
        && queries.ne(0) == keys.ne(0)
        && queries.ne(0) % 2 == 0
        && queries.sources().stream().skip(1).allMatch(Tensor::isLeaf);
  }

  /** Whether the state has a cell for each slice of axis 2. */
  private static boolean isCache(Tensor state, Tensor rows) {
    return state.shape().lastAxis() == 2
        && KernelType.isFloating(state.type())
        && rows.ne(3) == 1
        && !rows.shape().isEmpty();
  }
}
