// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import static dev.consort.tck.cases.OperationCase.PRODUCT_LIMIT;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Graphs whose leaves declare how they may be split. A plain device has nothing to do with that; a
 * meta device splits them, and must give the same results.
 */
final class ShardedCases {
  private static final List<DataType> TYPES =
      List.of(
          DataType.F32,
          DataType.F16,
          DataType.BF16,
          DataType.Q8_0,
          DataType.Q4_0,
          DataType.Q4_K,
          DataType.Q6_K);

  private ShardedCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (DataType type : TYPES) {
      for (int tokens : new int[] {1, 5}) {
        cases.add(columns(type, tokens));
        cases.add(rows(type, tokens));
        cases.add(feedForward(type, tokens));
        cases.add(experts(type, tokens));
        cases.add(fused(type, tokens));
        cases.add(embedding(type, tokens));
      }
    }
    for (DataType type : List.of(DataType.F32, DataType.F16)) {
      cases.add(heads(type, 1));
      cases.add(heads(type, 5));
    }
    cases.add(elementwise());
    return cases;
  }

  private static CaseBuilder builder(String note) {
    return new CaseBuilder().limit(PRODUCT_LIMIT).note(note);
  }

  private static OperationCase columns(DataType type, int tokens) {
    CaseBuilder builder = builder("column split");
    Shard shard = Shard.of(1, new ShardGroup("columns", 11), 3);
    Tensor w = builder.weight(type, Shape.of(256, 33), shard);
    return builder.check(builder.graph.matMul(w, builder.input(Shape.of(256, tokens))), type);
  }

  private static OperationCase rows(DataType type, int tokens) {
    CaseBuilder builder = builder("row split");
    int block = Math.max(32, type.blockElements());
    Shard shard = Shard.of(0, new ShardGroup("rows", 5), block);
    Tensor w = builder.weight(type, Shape.of(5 * block, 9), shard);
    return builder.check(builder.graph.matMul(w, builder.input(Shape.of(5 * block, tokens))), type);
  }

  /** Columns, then rows: one reduce. */
  private static OperationCase feedForward(DataType type, int tokens) {
    CaseBuilder builder = builder("feed forward, columns then rows");
    int block = Math.max(32, type.blockElements());
    long inner = 5L * block;
    ShardGroup group = new ShardGroup("inner", 5);
    Tensor x = builder.input(Shape.of(256, tokens));
    Tensor gate = builder.weight(type, Shape.of(256, inner), Shard.of(1, group, block));
    Tensor up = builder.weight(type, Shape.of(256, inner), Shard.of(1, group, block));
    Tensor down = builder.weight(type, Shape.of(inner, 256), Shard.of(0, group, block));
    Tensor hidden =
        builder.graph.glu(
            Operation.Glu.Kind.SWIGLU,
            builder.graph.scale(builder.graph.matMul(gate, x), 0.25f),
            builder.graph.matMul(up, x));
    return builder.check(builder.graph.matMul(down, hidden), type);
  }

  /** Gate and up in one weight of two segments. */
  private static OperationCase fused(DataType type, int tokens) {
    CaseBuilder builder = builder("fused gate and up");
    ShardGroup group = new ShardGroup("inner", 7);
    Tensor x = builder.input(Shape.of(256, tokens));
    Tensor both = builder.weight(type, Shape.of(256, 112), new Shard(1, group, List.of(8L, 8L)));
    return builder.check(builder.graph.matMul(both, x), type);
  }

  private static OperationCase experts(DataType type, int tokens) {
    CaseBuilder builder = builder("experts, columns then rows");
    int block = Math.max(32, type.blockElements());
    long inner = 3L * block;
    ShardGroup group = new ShardGroup("inner", 3);
    Tensor x = builder.input(Shape.of(256, 1, tokens));
    Tensor ids = builder.indices(Shape.of(2, tokens), 3, 0, 1, -1, 2, 3);
    Tensor up = builder.weight(type, Shape.of(256, inner, 4), Shard.of(1, group, block));
    Tensor down = builder.weight(type, Shape.of(inner, 256, 4), Shard.of(0, group, block));
    Tensor hidden = builder.graph.matMulId(up, x, ids);
    return builder.check(builder.graph.matMulId(down, hidden, ids), type);
  }

  private static OperationCase embedding(DataType type, int tokens) {
    CaseBuilder builder = builder("vocabulary split");
    Shard shard = Shard.of(1, new ShardGroup("vocabulary", 19), 1);
    Tensor table = builder.weight(type, Shape.of(256, 19), shard);
    Tensor ids = builder.indices(Shape.of(tokens), 18, 0, 7, 9, 3);
    return builder.check(builder.graph.getRows(table, ids), type);
  }

  /** A cache split by key/value heads, written and read in one graph. */
  private static OperationCase heads(DataType cache, int tokens) {
    CaseBuilder builder = builder("split by heads, written then read");
    ShardGroup group = new ShardGroup("heads", 3);
    Tensor x = builder.input(Shape.of(64, tokens));
    Tensor wq = builder.weight(DataType.F32, Shape.of(64, 96), Shard.of(1, group, 32));
    Tensor wk = builder.weight(DataType.F32, Shape.of(64, 48), Shard.of(1, group, 16));
    Tensor wv = builder.weight(DataType.F32, Shape.of(64, 48), Shard.of(1, group, 16));
    Tensor wo = builder.weight(DataType.F32, Shape.of(96, 64), Shard.of(0, group, 32));
    Tensor k = builder.state(cache, Shape.of(16, 3, 20), Shard.of(1, group, 1));
    Tensor v = builder.state(cache, Shape.of(16, 3, 20), Shard.of(1, group, 1));
    Tensor positions = builder.indices(Shape.of(tokens), 6, 7, 8, 9, 10);
    Operation.Rope rope =
        new Operation.Rope(Operation.Rope.Mode.NEOX, 16, 10_000, 1, 0, 1, 32, 1, 4096);
    var graph = builder.graph;
    Tensor q = graph.reshape(graph.matMul(wq, x), Shape.of(16, 6, tokens));
    Tensor key = graph.reshape(graph.matMul(wk, x), Shape.of(16, 3, tokens));
    Tensor value = graph.reshape(graph.matMul(wv, x), Shape.of(16, 3, tokens));
    Tensor slots = builder.indices(Shape.of(tokens), 6, 7, 8, 9, 10);
    Tensor newK = graph.setRows(k, graph.add(rope, key, positions), slots);
    Tensor newV = graph.setRows(v, value, slots);
    int[] cells = new int[40];
    int[] queries = new int[2 * tokens];
    for (int s = 0; s < 20; s++) {
      cells[2 * s] = s;
      cells[2 * s + 1] = 1;
    }
    for (int t = 0; t < tokens; t++) {
      queries[2 * t] = 6 + t;
      queries[2 * t + 1] = 1;
    }
    Tensor attention =
        graph.add(
            new Operation.Attention(0.25f, 0, 0),
            graph.add(rope, q, positions),
            newK,
            newV,
            builder.indices(Shape.of(2, tokens), queries),
            builder.indices(Shape.of(2, 20), cells),
            builder.indices(Shape.of(1), 6 + tokens));
    Tensor joined = graph.reshape(attention, Shape.of(96, tokens));
    return builder.note("cache " + cache.label()).check(graph.matMul(wo, joined));
  }

  /** A split input goes through functions of single elements. */
  private static OperationCase elementwise() {
    CaseBuilder builder = builder("split input").limit(OperationCase.DEFAULT_LIMIT);
    Shard shard = Shard.of(0, new ShardGroup("elements", 13), 4);
    Tensor a = builder.input(Shape.of(52, 3), shard);
    Tensor b = builder.weight(DataType.F32, Shape.of(52), shard);
    return builder.check(builder.graph.mul(builder.graph.unary(Operation.Unary.Kind.SILU, a), b));
  }
}
