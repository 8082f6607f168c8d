// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import dev.consort.tck.Comparison;
import dev.consort.tck.reference.Reference;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operation with every combination of its sources' states: three members, one of which has
 * nothing, compute their pieces as the rule says, and the pieces must make the whole result.
 */
class SplitRulesTest {
  private static final ShardGroup G = new ShardGroup("g", 2);
  private static final ShardGroup H = new ShardGroup("h", 2);
  private static final Partition CUTS =
      new Partition(3, Map.of("g", new long[] {0, 1, 1, 2}, "h", new long[] {0, 0, 2, 2}));

  /** An operation on sources of given shapes. */
  private record Subject(String name, Operation operation, List<Source> sources) {}

  /** What a source is like; {@code values} repeat. */
  private record Source(Kind kind, Shape shape, int... values) {
    enum Kind {
      FLOATS,
      STATE,
      INDICES
    }
  }

  private static Source floats(long... ne) {
    return new Source(Source.Kind.FLOATS, shape(ne));
  }

  private static Source indices(Shape shape, int... values) {
    return new Source(Source.Kind.INDICES, shape, values);
  }

  private static Shape shape(long... ne) {
    long[] all = Arrays.copyOf(ne, 4);
    Arrays.fill(all, ne.length, 4, 1);
    return new Shape(all[0], all[1], all[2], all[3]);
  }

  private static List<Subject> subjects() {
    List<Subject> all = new ArrayList<>();
    all.add(new Subject("mat_mul", new Operation.MatMul(), List.of(floats(4, 6), floats(4, 2))));
    all.add(
        new Subject(
            "mat_mul of batches",
            new Operation.MatMul(),
            List.of(floats(4, 2, 2, 2), floats(4, 2, 4, 2))));
    all.add(
        new Subject(
            "mat_mul_id",
            new Operation.MatMulId(),
            List.of(floats(4, 6, 4), floats(4, 1, 2), indices(shape(2, 2), 3, 0, -1, 2))));
    all.add(
        new Subject(
            "mat_mul_id of rows",
            new Operation.MatMulId(),
            List.of(floats(4, 6, 2), floats(4, 2, 2), indices(shape(2, 2), 1, 0, 0, 1))));
    all.add(
        new Subject(
            "get_rows",
            new Operation.GetRows(),
            List.of(floats(4, 6), indices(shape(4), 5, 0, -1, 2))));
    all.add(
        new Subject(
            "get_rows of batches",
            new Operation.GetRows(),
            List.of(floats(4, 6, 2), indices(shape(4, 2), 5, 0, -1, 2, 1, 1, 3, 4))));
    all.add(
        new Subject(
            "set_rows",
            new Operation.SetRows(),
            List.of(
                new Source(Source.Kind.STATE, shape(4, 2, 6)),
                floats(4, 2, 2),
                indices(shape(2), 4, 1))));
    for (Operation.Binary.Kind kind : Operation.Binary.Kind.values()) {
      Operation op = new Operation.Binary(kind);
      all.add(new Subject(op.label(), op, List.of(floats(4, 2, 2), floats(4, 2, 2))));
      all.add(new Subject(op.label() + " of a row", op, List.of(floats(4, 2, 2), floats(4))));
      all.add(new Subject(op.label() + " repeated", op, List.of(floats(4, 4, 2), floats(1, 2, 2))));
    }
    for (Operation.Unary.Kind kind : Operation.Unary.Kind.values()) {
      Operation op = new Operation.Unary(kind);
      all.add(new Subject(op.label(), op, List.of(floats(4, 2, 2))));
    }
    for (Operation.Glu.Kind kind : Operation.Glu.Kind.values()) {
      Operation op = new Operation.Glu(kind, 1.7f, 0.5f);
      all.add(new Subject(op.label(), op, List.of(floats(4, 2, 2), floats(4, 2, 2))));
    }
    Operation.Rope rope = new Operation.Rope(Operation.Rope.Mode.NORM, 4, 100, 1, 0, 1, 32, 1, 64);
    all.add(
        new Subject("rope", rope, List.of(floats(6, 4, 2), indices(shape(2), 3, 7), floats(2))));
    List<Source> heads =
        List.of(
            floats(4, 4, 2),
            floats(4, 2, 4),
            floats(2, 2, 4),
            indices(shape(2, 2), 2, 1, 3, 1),
            indices(shape(2, 4), 0, 1, 1, 1, 2, 1, 3, 1),
            indices(shape(1), 4));
    all.add(new Subject("attention", new Operation.Attention(0.5f, 0, 0), heads));
    List<Source> sinks = new ArrayList<>(heads);
    sinks.add(floats(4));
    all.add(new Subject("attention with sinks", new Operation.Attention(0.5f, 2, 3), sinks));
    all.add(
        new Subject(
            "top_k",
            new Operation.TopK(2),
            List.of(floats(4, 2), indices(shape(2, 2), 0, 1, 1, 0))));
    for (int axis = 0; axis < 3; axis++) {
      all.add(new Subject("sum " + axis, new Operation.Sum(axis), List.of(floats(4, 2, 4))));
    }
    all.add(new Subject("scale", new Operation.Scale(0.5f, 0), List.of(floats(4, 2, 2))));
    all.add(new Subject("scale, bias", new Operation.Scale(0.5f, 1), List.of(floats(4, 2, 2))));
    all.add(new Subject("clamp", new Operation.Clamp(-0.5f, 0.5f), List.of(floats(4, 2, 2))));
    all.add(new Subject("rms_norm", new Operation.RmsNorm(1e-6f), List.of(floats(4, 2, 2))));
    all.add(new Subject("soft_max", new Operation.SoftMax(), List.of(floats(4, 2, 2))));
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      all.add(
          new Subject(
              "copy to " + type.label(), new Operation.Copy(type), List.of(floats(4, 2, 2))));
    }
    return all;
  }

  @Test
  void everyOperationIsASubject() {
    Set<Class<?>> tried = new HashSet<>();
    subjects().forEach(subject -> tried.add(subject.operation().getClass()));
    Set<Class<?>> all = new HashSet<>(List.of(Operation.class.getPermittedSubclasses()));
    all.removeAll(List.of(Operation.Leaf.class, Operation.View.class, Operation.AllReduce.class));
    assertThat(tried).containsExactlyInAnyOrderElementsOf(all);
  }

  @TestFactory
  Stream<DynamicTest> noRuleIsWrong() {
    return subjects().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> check(s)));
  }

  private static void check(Subject subject) {
    Random random = new Random(subject.name().hashCode());
    Map<String, MemorySegment> data = new HashMap<>();
    Tensor node = node(subject, data, random);
    float[] expected = evaluate(node, data);
    Set<SplitRules.Rule> tried = new HashSet<>();
    for (List<SplitState> in : combinations(subject)) {
      SplitRules.Rule rule = SplitRules.of(node, in);
      checkSources(node, in, rule);
      if (!tried.add(rule)) {
        continue;
      }
      float[][] pieces = new float[CUTS.members()][];
      List<float[][]> cut = new ArrayList<>();
      for (int i = 0; i < node.sources().size(); i++) {
        Tensor source = node.source(i);
        cut.add(
            source.type() == DataType.I32
                ? new float[0][]
                : Pieces.cut(
                    Reference.floats(source, data.get(source.name())),
                    source.shape(),
                    rule.sources().get(i),
                    CUTS,
                    random));
      }
      for (int m = 0; m < pieces.length; m++) {
        pieces[m] = local(subject, node, rule, cut, data, m);
        assertThat(pieces[m])
            .as("%s: the size of member %d's piece", rule, m)
            .hasSize((int) rule.result().localShape(node.shape(), CUTS, m).elements());
      }
      float[] found = Pieces.join(pieces, node.shape(), rule.result(), CUTS);
      Comparison comparison = Comparison.of(expected, found);
      assertThat(comparison.within(1e-10)).as("%s: %s", rule, comparison).isTrue();
    }
  }

  /** What a source has becomes what the rule wants by nothing, an exchange, or cutting. */
  private static void checkSources(Tensor node, List<SplitState> in, SplitRules.Rule rule) {
    assertThat(rule.sources()).hasSameSizeAs(in);
    for (int i = 0; i < in.size(); i++) {
      SplitState wanted = rule.sources().get(i);
      boolean cut =
          in.get(i).isMirrored()
              && wanted instanceof SplitState.OnAxis on
              && on.elementsPerUnit().size() == 1;
      if (!wanted.equals(in.get(i)) && !wanted.isMirrored() && !cut) {
        fail("source %d of %s lies as %s, and can't become what %s wants", i, node, in, rule);
      }
    }
  }

  private static float[] local(
      Subject subject,
      Tensor node,
      SplitRules.Rule rule,
      List<float[][]> cut,
      Map<String, MemorySegment> data,
      int member) {
    var builder = new GraphBuilder();
    List<Tensor> sources = new ArrayList<>();
    Map<String, MemorySegment> local = new HashMap<>();
    for (int i = 0; i < node.sources().size(); i++) {
      Tensor full = node.source(i);
      Shape shape = rule.sources().get(i).localShape(full.shape(), CUTS, member);
      sources.add(leaf(builder, subject.sources().get(i).kind(), full.name(), shape));
      local.put(
          full.name(),
          full.type() == DataType.I32
              ? data.get(full.name())
              : MemorySegment.ofArray(cut.get(i)[member].clone()));
    }
    return evaluate(builder.add("node", subject.operation(), sources), local);
  }

  private static Tensor node(Subject subject, Map<String, MemorySegment> data, Random random) {
    var builder = new GraphBuilder();
    List<Tensor> sources = new ArrayList<>();
    for (Source source : subject.sources()) {
      String name = "source" + sources.size();
      sources.add(leaf(builder, source.kind(), name, source.shape()));
      int elements = (int) source.shape().elements();
      if (source.kind() == Source.Kind.INDICES) {
        int[] values = source.values();
        assertThat(values).hasSize(elements);
        data.put(name, MemorySegment.ofArray(values));
      } else {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
          values[i] = (random.nextBoolean() ? 1 : -1) * (0.25f + random.nextInt(0, 97) / 64f);
        }
        data.put(name, MemorySegment.ofArray(values));
      }
    }
    return builder.add("node", subject.operation(), sources);
  }

  private static Tensor leaf(GraphBuilder builder, Source.Kind kind, String name, Shape shape) {
    Operation leaf =
        switch (kind) {
          case FLOATS -> new Operation.Input(DataType.F32, shape, Optional.empty());
          case STATE -> new Operation.State(DataType.F32, shape, Optional.empty());
          case INDICES -> new Operation.Input(DataType.I32, shape, Optional.empty());
        };
    return builder.add(name, leaf, List.of());
  }

  private static float[] evaluate(Tensor node, Map<String, MemorySegment> data) {
    Map<String, MemorySegment> bytes = new HashMap<>();
    data.forEach(
        (name, values) -> {
          MemorySegment copy = MemorySegment.ofArray(new byte[(int) values.byteSize()]);
          bytes.put(name, copy.copyFrom(values));
        });
    MemorySegment result =
        Reference.evaluate(Graph.of(List.of(node), List.of(node)), bytes).get(node.name());
    if (node.type() != DataType.I32) {
      return Reference.floats(node, result);
    }
    float[] values = new float[(int) node.shape().elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = result.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
    }
    return values;
  }

  private static List<List<SplitState>> combinations(Subject subject) {
    List<List<SplitState>> all = new ArrayList<>();
    all.add(List.of());
    for (int i = 0; i < subject.sources().size(); i++) {
      Source source = subject.sources().get(i);
      List<SplitState> states =
          source.kind() == Source.Kind.INDICES
              ? List.of(SplitState.MIRRORED)
              : states(source.shape(), subject.sources().size() < 6);
      List<List<SplitState>> longer = new ArrayList<>();
      for (List<SplitState> start : all) {
        for (SplitState state : states) {
          List<SplitState> more = new ArrayList<>(start);
          more.add(state);
          longer.add(more);
        }
      }
      all = longer;
    }
    return all;
  }

  private static List<SplitState> states(Shape shape, boolean many) {
    List<SplitState> states = new ArrayList<>(List.of(SplitState.MIRRORED, SplitState.PARTIAL));
    for (int axis = 0; axis < Shape.AXES; axis++) {
      long perUnit = shape.ne(axis) / 2;
      if (shape.ne(axis) % 2 == 0) {
        states.add(new SplitState.OnAxis(axis, G, List.of(perUnit)));
        states.add(new SplitState.OnAxis(axis, H, List.of(perUnit)));
        if (many && perUnit > 1) {
          states.add(new SplitState.OnAxis(axis, G, List.of(1L, perUnit - 1)));
          states.add(new SplitState.OnAxis(axis, G, List.of(perUnit - 1, 1L)));
        }
      }
    }
    return states;
  }
}
