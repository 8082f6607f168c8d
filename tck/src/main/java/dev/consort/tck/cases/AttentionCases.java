// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Rotary embeddings and attention over a cache. */
final class AttentionCases {
  private AttentionCases() {}

  /** Extents of one case: head sizes, heads, tokens, cells. */
  private record Extents(int d, int dv, int heads, int groups, int tokens, int cells, int live) {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      addAttention(cases, type);
    }
    addRope(cases);
    return cases;
  }

  private static void addAttention(List<OperationCase> cases, DataType type) {
    Operation.Attention plain = new Operation.Attention(0.125f, 0, 0);
    Operation.Attention windowed = new Operation.Attention(0.125f, 0, 5);
    Operation.Attention capped = new Operation.Attention(0.5f, 2, 0);
    for (int tokens : new int[] {1, 2, 3, 8, 17, 33}) {
      cases.add(attention(plain, type, new Extents(64, 64, 8, 2, tokens, 48, 40)));
    }
    cases.add(attention(plain, type, new Extents(64, 64, 4, 4, 3, 32, 32)));
    cases.add(attention(plain, type, new Extents(128, 128, 6, 1, 2, 77, 70)));
    cases.add(attention(plain, type, new Extents(40, 24, 5, 5, 3, 33, 21)));
    cases.add(attention(plain, type, new Extents(16, 16, 4, 2, 3, 300, 290)));
    cases.add(attention(plain, type, new Extents(64, 64, 8, 2, 3, 32, 1)));
    cases.add(attention(plain, type, new Extents(64, 64, 8, 2, 3, 32, 0)));
    cases.add(attention(plain, type, new Extents(64, 64, 0, 1, 3, 32, 8)));
    cases.add(attention(plain, type, new Extents(64, 64, 4, 2, 0, 32, 8)));
    cases.add(attention(windowed, type, new Extents(64, 64, 8, 2, 7, 48, 40)));
    cases.add(attention(capped, type, new Extents(64, 64, 8, 2, 7, 48, 40)));
    cases.add(
        attention(new Operation.Attention(0.5f, 2, 5), type, new Extents(64, 64, 4, 2, 7, 48, 40)));
    cases.add(sinks(plain, type, new Extents(64, 64, 8, 2, 7, 48, 40)));
    cases.add(sinks(windowed, type, new Extents(64, 64, 4, 4, 1, 48, 40)));
  }

  private static OperationCase attention(Operation.Attention op, DataType type, Extents extents) {
    CaseBuilder builder = new CaseBuilder();
    return finish(builder, op, type, extents, sources(builder, type, extents));
  }

  private static OperationCase sinks(Operation.Attention op, DataType type, Extents extents) {
    CaseBuilder builder = new CaseBuilder().note("sinks");
    List<Tensor> sources = sources(builder, type, extents);
    sources.add(builder.weight(DataType.F32, Shape.of(extents.heads())));
    return finish(builder, op, type, extents, sources);
  }

  private static OperationCase finish(
      CaseBuilder builder,
      Operation.Attention op,
      DataType type,
      Extents extents,
      List<Tensor> sources) {
    builder.limit(OperationCase.PRODUCT_LIMIT);
    builder.note(
        "live %d, window %d, softcap %.0f".formatted(extents.live(), op.window(), op.softcap()));
    return builder.check(builder.graph.add(op, sources.toArray(Tensor[]::new)), type);
  }

  /**
   * Two sequences share the cache, some cells belong to both and some to none; the last of several
   * queries is padding.
   */
  private static List<Tensor> sources(CaseBuilder builder, DataType type, Extents e) {
    List<Tensor> sources = new ArrayList<>();
    sources.add(builder.input(Shape.of(e.d(), e.heads(), e.tokens())));
    sources.add(builder.state(type, Shape.of(e.d(), e.groups(), e.cells())));
    sources.add(builder.state(type, Shape.of(e.dv(), e.groups(), e.cells())));
    int[] queries = new int[2 * Math.max(1, e.tokens())];
    for (int t = 0; t < e.tokens(); t++) {
      queries[2 * t] = Math.max(0, e.live() / 2 - e.tokens() + t + 1);
      queries[2 * t + 1] = e.tokens() > 1 && t == e.tokens() - 1 ? 0 : 1 + t % 2;
    }
    int[] cells = new int[2 * e.cells()];
    int[] owners = {1, 2, 3, 1, 2, 0};
    for (int s = 0; s < e.cells(); s++) {
      cells[2 * s] = s / 2;
      cells[2 * s + 1] = owners[s % owners.length];
    }
    sources.add(builder.indices(Shape.of(2, e.tokens()), queries));
    sources.add(builder.indices(Shape.of(2, e.cells()), cells));
    sources.add(builder.indices(Shape.of(1), e.live()));
    return sources;
  }

  private static void addRope(List<OperationCase> cases) {
    for (Operation.Rope.Mode mode : Operation.Rope.Mode.values()) {
      for (int tokens : new int[] {1, 5}) {
        cases.add(rope(plain(mode, 64), Shape.of(64, 4, tokens), Factors.NONE));
        cases.add(rope(plain(mode, 48), Shape.of(80, 3, tokens), Factors.NONE));
        cases.add(rope(plain(mode, 64), Shape.of(64, 4, tokens), Factors.GIVEN));
        cases.add(rope(yarn(mode, 64), Shape.of(64, 4, tokens), Factors.NONE));
        cases.add(rope(yarn(mode, 64), Shape.of(128, 2, tokens), Factors.GIVEN));
      }
      cases.add(rope(plain(mode, 64), Shape.of(64, 0, 3), Factors.NONE));
      cases.add(rope(plain(mode, 64), Shape.of(64, 3, 0), Factors.NONE));
      cases.add(strided(mode));
    }
  }

  private enum Factors {
    NONE,
    GIVEN
  }

  private static OperationCase rope(Operation.Rope op, Shape shape, Factors factors) {
    CaseBuilder builder = new CaseBuilder();
    builder.note(
        "%s, %d dims%s".formatted(op.mode(), op.dims(), op.extFactor() == 0 ? "" : ", YaRN"));
    List<Tensor> sources = new ArrayList<>();
    sources.add(builder.input(shape));
    sources.add(builder.indices(Shape.of(shape.ne2()), 0, 3, 517, 1, 64));
    if (factors == Factors.GIVEN) {
      sources.add(builder.input(DataType.F32, Shape.of(op.dims() / 2), Fill.uniform(0.9, 8)));
    }
    return builder.check(builder.graph.add(op, sources.toArray(Tensor[]::new)));
  }

  private static OperationCase strided(Operation.Rope.Mode mode) {
    CaseBuilder builder = new CaseBuilder().optional().note(mode + ", heads of a fused result");
    Tensor heads = builder.graph.slice(builder.input(Shape.of(64, 6, 3)), 1, 2, 3);
    Tensor positions = builder.indices(Shape.of(3), 4, 0, 9);
    return builder.check(builder.graph.add(plain(mode, 64), heads, positions));
  }

  private static Operation.Rope plain(Operation.Rope.Mode mode, int dims) {
    return new Operation.Rope(mode, dims, 10_000, 1, 0, 1, 32, 1, 4096);
  }

  private static Operation.Rope yarn(Operation.Rope.Mode mode, int dims) {
    return new Operation.Rope(mode, dims, 10_000, 0.25f, 1, 1.1f, 32, 1, 512);
  }
}
