// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;
import java.util.Optional;

/** Which sources each operation takes, and what its result looks like. One rule an operation. */
final class Inference {
  private Inference() {}

  /** What a tensor looks like and, for views and state versions, whose storage it shares. */
  record Result(DataType type, Shape shape, Strides strides, Optional<Tensor> base, long offset) {
    static Result owned(DataType type, Shape shape) {
      return new Result(type, shape, Strides.contiguous(type, shape), Optional.empty(), 0);
    }

    static Result view(Tensor of, Shape shape, Strides strides, long offset) {
      return new Result(of.type(), shape, strides, Optional.of(of.root()), of.offset() + offset);
    }
  }

  static Result infer(Operation operation, List<Tensor> sources) {
    var check = new SourceCheck(operation, sources);
    return switch (operation) {
      case Operation.Leaf leaf -> leaf(check.count(0, 0), leaf);
      case Operation.Reshape op -> reshape(check.count(1, 1), op);
      case Operation.Slice op -> slice(check.count(1, 1), op);
      case Operation.Permute op -> permute(check.count(1, 1), op);
      case Operation.MatMul op -> matMul(check.count(2, 2));
      case Operation.MatMulId op -> matMulId(check.count(3, 3));
      case Operation.GetRows op -> getRows(check.count(2, 2));
      case Operation.SetRows op -> setRows(check.count(3, 3));
      case Operation.Binary op -> binary(check.count(2, 2));
      case Operation.Glu op -> {
        check.count(2, 2).floats(0).floats(1).sameShape(0, 1);
        yield Result.owned(DataType.F32, sources.get(0).shape());
      }
      case Operation.Rope op -> rope(check.count(2, 3), op);
      case Operation.Attention op -> attention(check.count(6, 7));
      case Operation.TopK op -> topK(check.count(1, 2), op);
      case Operation.Sum op -> {
        check.count(1, 1).floats(0);
        yield Result.owned(DataType.F32, sources.get(0).shape().with(op.axis(), 1));
      }
      case Operation.Copy op -> copy(check.count(1, 1), op);
      case Operation.Scale op -> sameAsSource(check.count(1, 1));
      case Operation.Unary op -> sameAsSource(check.count(1, 1));
      case Operation.RmsNorm op -> sameAsSource(check.count(1, 1));
      case Operation.SoftMax op -> sameAsSource(check.count(1, 1));
      case Operation.Clamp op -> sameAsSource(check.count(1, 1));
      case Operation.AllReduce op -> sameAsSource(check.count(1, 1));
    };
  }

  private static Result leaf(SourceCheck check, Operation.Leaf leaf) {
    leaf.shard()
        .ifPresent(
            shard ->
                check.require(
                    shard.extent() == leaf.shape().ne(shard.axis()),
                    "shape %s does not have the %d elements on axis %d that its shard declares",
                    leaf.shape(),
                    shard.extent(),
                    shard.axis()));
    return Result.owned(leaf.type(), leaf.shape());
  }

  private static Result reshape(SourceCheck check, Operation.Reshape op) {
    Tensor x = check.source(0);
    check.require(x.isContiguous(), "source %s is not contiguous", x);
    check.require(
        x.shape().elements() == op.shape().elements(), "%s has not as many elements as %s", x, op);
    return Result.view(x, op.shape(), Strides.contiguous(x.type(), op.shape()), 0);
  }

  private static Result slice(SourceCheck check, Operation.Slice op) {
    Tensor x = check.source(0);
    check.require(
        op.start() >= 0 && op.length() >= 0 && op.start() + op.length() <= x.ne(op.axis()),
        "%s reaches outside %s",
        op,
        x);
    long offset = op.start() * x.nb(op.axis());
    if (op.axis() == 0) {
      // A stride of axis 0 leads from block to block.
      x.type().bytes(op.start());
      offset /= x.type().blockElements();
    }
    return Result.view(x, x.shape().with(op.axis(), op.length()), x.strides(), offset);
  }

  private static Result permute(SourceCheck check, Operation.Permute op) {
    Tensor x = check.source(0);
    check.require(!x.type().isQuantized(), "%s is quantised", x);
    long[] ne = new long[Shape.AXES];
    long[] nb = new long[Shape.AXES];
    int seen = 0;
    for (int i = 0; i < Shape.AXES; i++) {
      int to = op.axis(i);
      check.require(to >= 0 && to < Shape.AXES, "%s names an axis that is not 0 to 3", op);
      ne[to] = x.ne(i);
      nb[to] = x.nb(i);
      seen |= 1 << to;
    }
    check.require(seen == 0b1111, "%s does not name every axis once", op);
    return Result.view(
        x, new Shape(ne[0], ne[1], ne[2], ne[3]), new Strides(nb[0], nb[1], nb[2], nb[3]), 0);
  }

  private static Result matMul(SourceCheck check) {
    Tensor w = check.source(0);
    Tensor x = check.floats(1).source(1);
    check.require(w.ne(0) == x.ne(0), "%s and %s differ on axis 0", w, x);
    check.require(
        divides(w.ne(2), x.ne(2)) && divides(w.ne(3), x.ne(3)), "%s can't repeat to %s", w, x);
    return Result.owned(DataType.F32, new Shape(w.ne(1), x.ne(1), x.ne(2), x.ne(3)));
  }

  private static Result matMulId(SourceCheck check) {
    Tensor w = check.source(0);
    Tensor x = check.floats(1).source(1);
    Tensor ids = check.indices(2).source(2);
    check.require(w.ne(0) == x.ne(0), "%s and %s differ on axis 0", w, x);
    check.require(x.ne(1) == 1 || x.ne(1) == ids.ne(0), "%s fits no row of %s", x, ids);
    check.require(x.ne(2) == ids.ne(1), "%s and %s have not as many tokens", x, ids);
    return Result.owned(DataType.F32, Shape.of(w.ne(1), ids.ne(0), ids.ne(1)));
  }

  private static Result getRows(SourceCheck check) {
    Tensor table = check.source(0);
    Tensor ids = check.indices(1).source(1);
    check.require(table.ne(2) == ids.ne(1), "%s and %s differ in their batch", table, ids);
    check.require(table.ne(3) == 1, "%s has four axes", table);
    return Result.owned(DataType.F32, Shape.of(table.ne(0), ids.ne(0), ids.ne(1)));
  }

  private static Result setRows(SourceCheck check) {
    Tensor state = check.source(0);
    Tensor src = check.floats(1).source(1);
    Tensor ids = check.indices(2).source(2);
    check.require(
        state.root().operation() instanceof Operation.State, "%s is no state", state.root());
    check.require(state.isContiguous(), "%s is not contiguous", state);
    int axis = Math.max(1, state.shape().lastAxis());
    check.require(
        src.shape().equals(state.shape().with(axis, ids.ne(0))),
        "%s does not fit %s and %s",
        src,
        state,
        ids);
    return Result.view(state, state.shape(), state.strides(), 0);
  }

  private static Result binary(SourceCheck check) {
    Tensor a = check.floats(0).source(0);
    Tensor b = check.floats(1).source(1);
    for (int axis = 0; axis < Shape.AXES; axis++) {
      check.require(divides(b.ne(axis), a.ne(axis)), "%s can't repeat to %s", b, a);
    }
    return Result.owned(DataType.F32, a.shape());
  }

  private static Result rope(SourceCheck check, Operation.Rope op) {
    Tensor x = check.floats(0).source(0);
    Tensor positions = check.indices(1).source(1);
    check.require(positions.ne(0) == x.ne(2), "%s and %s have not as many tokens", x, positions);
    check.require(
        op.dims() % 2 == 0 && op.dims() <= x.ne(0), "%d dimensions don't fit %s", op.dims(), x);
    if (check.size() == 3) {
      Tensor factors = check.floats(2).source(2);
      check.require(factors.ne(0) == op.dims() / 2, "%s has not dims/2 factors", factors);
    }
    return Result.owned(DataType.F32, x.shape());
  }

  private static Result attention(SourceCheck check) {
    Tensor q = check.floats(0).source(0);
    Tensor k = check.source(1);
    Tensor v = check.source(2);
    Tensor queries = check.indices(3).source(3);
    Tensor cells = check.indices(4).source(4);
    check.indices(5);
    check.require(q.ne(0) == k.ne(0), "%s and %s differ on axis 0", q, k);
    check.require(
        k.ne(1) == v.ne(1) && k.ne(2) == v.ne(2), "%s and %s have other heads or cells", k, v);
    check.require(divides(k.ne(1), q.ne(1)), "%s has no whole number of heads for %s", q, k);
    check.require(queries.ne(0) == 2 && queries.ne(1) == q.ne(2), "%s does not fit %s", queries, q);
    check.require(cells.ne(0) == 2 && cells.ne(1) == k.ne(2), "%s does not fit %s", cells, k);
    if (check.size() == 7) {
      check.require(check.floats(6).source(6).ne(0) == q.ne(1), "the sinks don't fit %s", q);
    }
    return Result.owned(DataType.F32, Shape.of(v.ne(0), q.ne(1), q.ne(2)));
  }

  private static Result topK(SourceCheck check, Operation.TopK op) {
    Tensor x = check.floats(0).source(0);
    check.require(op.k() >= 1 && op.k() <= x.ne(0), "there are no %d largest in %s", op.k(), x);
    if (check.size() == 2) {
      Tensor queries = check.indices(1).source(1);
      check.require(
          queries.ne(0) == 2 && queries.ne(1) == x.ne(1), "%s does not fit %s", queries, x);
    }
    return Result.owned(DataType.I32, Shape.of(op.k(), x.ne(1)));
  }

  private static Result copy(SourceCheck check, Operation.Copy op) {
    Tensor x = check.source(0);
    check.require(isFloating(x.type()) && isFloating(op.type()), "%s to %s", x, op.type().label());
    return Result.owned(op.type(), x.shape());
  }

  private static Result sameAsSource(SourceCheck check) {
    return Result.owned(DataType.F32, check.floats(0).source(0).shape());
  }

  private static boolean divides(long part, long whole) {
    return part == whole || (part != 0 && whole % part == 0);
  }

  private static boolean isFloating(DataType type) {
    return type == DataType.F32 || type == DataType.F16 || type == DataType.BF16;
  }
}
