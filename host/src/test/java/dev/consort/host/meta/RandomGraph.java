// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A small graph around one operation, whose sources lie in all sorts of ways on the members: whole,
 * declared split, computed split, sums not yet reduced, views of these.
 */
final class RandomGraph {
  private static final int[] EXTENTS = {1, 2, 3, 4, 6, 8, 12};

  private final Random random;
  private final GraphBuilder graph = new GraphBuilder();
  private final Map<String, byte[]> data = new HashMap<>();
  private int leaves;
  private int layer;

  private RandomGraph(long seed) {
    this.random = new Random(seed * 0x9E3779B97F4A7C15L + 1);
  }

  record Made(Graph graph, Map<String, byte[]> data) {}

  /** The operations that graphs are made around. */
  static final List<String> KINDS =
      List.of(
          "mat_mul",
          "mat_mul_id",
          "get_rows",
          "set_rows",
          "binary",
          "glu",
          "unary",
          "scale",
          "clamp",
          "rms_norm",
          "soft_max",
          "rope",
          "attention",
          "top_k",
          "sum",
          "copy",
          "reshape",
          "slice",
          "permute");

  static Made of(String kind, long seed) {
    var made = new RandomGraph(seed * 31 + kind.hashCode());
    Tensor result = made.node(kind);
    made.graph.output(result);
    if (result.type() == DataType.F32 && made.random.nextInt(3) > 0) {
      made.graph.output(made.after(result));
    }
    return new Made(made.graph.build(), made.data);
  }

  private Tensor node(String kind) {
    return switch (kind) {
      case "mat_mul" -> matMul();
      case "mat_mul_id" -> matMulId();
      case "get_rows" -> getRows();
      case "set_rows" -> setRows();
      case "binary" -> binary();
      case "glu" -> {
        Shape shape = shape(3);
        Operation.Glu.Kind glu = Operation.Glu.Kind.values()[random.nextInt(4)];
        yield graph.add(new Operation.Glu(glu, 1.7f, 0.8f), pair(shape), pair(shape));
      }
      case "unary" -> graph.unary(unary(), operand(shape(4), 2));
      case "scale" -> graph.add(new Operation.Scale(0.5f, random.nextInt(2)), operand(shape(4), 2));
      case "clamp" -> graph.clamp(operand(shape(4), 2), 0.4f, 0.9f);
      case "rms_norm" -> graph.rmsNorm(operand(shape(4), 2), 1e-5f);
      case "soft_max" -> graph.softMax(operand(shape(4), 2));
      case "rope" -> rope();
      case "attention" -> attention();
      case "top_k" -> topK();
      case "sum" -> graph.sum(operand(shape(4), 2), random.nextInt(4));
      case "copy" ->
          graph.copy(
              operand(shape(4), 2),
              List.of(DataType.F32, DataType.F16, DataType.BF16).get(random.nextInt(3)));
      case "reshape" -> after(reshape(operand(shape(3), 2)));
      case "slice" -> after(slice(operand(shape(3), 2)));
      case "permute" -> after(permute(operand(shape(3), 2)));
      default -> throw new IllegalArgumentException(kind);
    };
  }

  /** Something that reads the result. */
  private Tensor after(Tensor result) {
    graph.layer(layer++);
    return switch (random.nextInt(4)) {
      case 0 -> graph.unary(Operation.Unary.Kind.SILU, result);
      case 1 -> graph.rmsNorm(result, 1e-5f);
      case 2 -> graph.add(result, operand(result.shape(), 1));
      default -> graph.scale(result, -2);
    };
  }

  private Tensor matMul() {
    DataType type =
        List.of(DataType.F32, DataType.F32, DataType.F16, DataType.Q8_0).get(random.nextInt(4));
    long k = type.isQuantized() ? 32L * (1 + random.nextInt(4)) : extent();
    long b2 = random.nextInt(3) == 0 ? 2 : 1;
    Shape w = Shape.of(k, extent(), b2);
    Shape x = Shape.of(k, extent(), b2 * (1 + random.nextInt(2)));
    Tensor weight = type == DataType.F32 ? operand(w, 1) : leaf(type, w, true);
    return graph.matMul(weight, operand(x, 2));
  }

  private Tensor matMulId() {
    DataType type = random.nextBoolean() ? DataType.F32 : DataType.F16;
    long k = extent();
    int experts = 1 + random.nextInt(4);
    int used = 1 + random.nextInt(3);
    int tokens = 1 + random.nextInt(3);
    Tensor w = leaf(type, Shape.of(k, extent(), experts), true);
    Tensor x = operand(Shape.of(k, random.nextBoolean() ? used : 1, tokens), 2);
    return graph.matMulId(w, x, indices(Shape.of(used, tokens), -1, experts));
  }

  private Tensor getRows() {
    DataType type = random.nextBoolean() ? DataType.F32 : DataType.Q8_0;
    long batch = 1 + random.nextInt(2);
    long columns = type.isQuantized() ? 32L * (1 + random.nextInt(3)) : extent();
    long rows = extent();
    Shape shape = Shape.of(columns, rows, batch);
    Tensor table = type == DataType.F32 ? operand(shape, 2) : leaf(type, shape, true);
    return graph.getRows(table, indices(Shape.of(extent(), batch), -1, (int) rows));
  }

  private Tensor setRows() {
    DataType type = random.nextBoolean() ? DataType.F32 : DataType.F16;
    long cells = 3 + random.nextInt(4);
    Shape shape = random.nextBoolean() ? Shape.of(extent(), cells) : Shape.of(2, extent(), cells);
    if (shape.lastAxis() == 0) {
      return setRows();
    }
    Tensor state = add(new Operation.State(type, shape, shard(type, shape)));
    Tensor rows = operand(shape.with(shape.lastAxis(), 2), 2);
    int first = random.nextInt((int) cells);
    int[] ids = {first, random.nextInt(3) == 0 ? -1 : (first + 1) % (int) cells};
    Tensor written = graph.setRows(state, rows, indices(ids));
    graph.output(written);
    return graph.copy(written, DataType.F32);
  }

  private Tensor binary() {
    Shape a = shape(3);
    long[] ne = new long[4];
    for (int axis = 0; axis < 4; axis++) {
      ne[axis] = random.nextInt(3) == 0 ? 1 : a.ne(axis);
    }
    Operation.Binary.Kind kind = Operation.Binary.Kind.values()[random.nextInt(4)];
    Tensor left = operand(a, 2);
    Tensor right = operand(new Shape(ne[0], ne[1], ne[2], ne[3]), 2);
    return graph.add(new Operation.Binary(kind), left, right);
  }

  private Tensor rope() {
    long tokens = 1 + random.nextInt(3);
    Tensor x = operand(Shape.of(6, extent(), tokens), 2);
    Operation.Rope rope =
        new Operation.Rope(
            Operation.Rope.Mode.values()[random.nextInt(2)], 4, 100, 1, 0, 1, 32, 1, 64);
    Tensor positions = indices(Shape.of(tokens), 0, 9);
    return random.nextBoolean()
        ? graph.add(rope, x, positions)
        : graph.add(rope, x, positions, leaf(DataType.F32, Shape.of(2), true));
  }

  private Tensor attention() {
    long heads = extent();
    long perHead = 1 + random.nextInt(3);
    long tokens = 1 + random.nextInt(3);
    int cells = 1 + random.nextInt(6);
    var group = new ShardGroup("heads", heads);
    boolean declared = random.nextInt(4) > 0;
    Shape keys = Shape.of(4, heads, cells);
    Shape values = Shape.of(2, heads, cells);
    Shape queries = Shape.of(4, heads * perHead, tokens);
    Tensor q = declared ? headed(queries, group, perHead) : operand(queries, 2);
    Tensor k = declared ? state(keys, group) : operand(keys, 2);
    Tensor v = declared ? state(values, group) : operand(values, 2);
    List<Tensor> sources = new ArrayList<>(List.of(q, k, v));
    sources.add(indices(positions((int) tokens, 2), Shape.of(2, tokens)));
    sources.add(indices(positions(cells, 0), Shape.of(2, cells)));
    sources.add(indices(new int[] {random.nextInt(cells + 1)}, Shape.of(1)));
    if (random.nextBoolean()) {
      Shape each = Shape.of(heads * perHead);
      Optional<Shard> shard = Optional.of(Shard.of(0, group, perHead));
      sources.add(
          declared && random.nextBoolean()
              ? add(new Operation.Weight(DataType.F32, each, shard))
              : leaf(DataType.F32, each, true));
    }
    float cap = random.nextInt(2) * 3;
    var operation = new Operation.Attention(0.5f, cap, random.nextInt(2) * 3);
    return graph.add(operation, sources.toArray(Tensor[]::new));
  }

  private Tensor headed(Shape shape, ShardGroup group, long perHead) {
    Tensor w =
        add(
            new Operation.Weight(
                DataType.F32,
                Shape.of(3, 4 * shape.ne1()),
                Optional.of(Shard.of(1, group, 4 * perHead))));
    return graph.reshape(graph.matMul(w, operand(Shape.of(3, shape.ne2()), 1)), shape);
  }

  private Tensor state(Shape shape, ShardGroup group) {
    DataType type = random.nextBoolean() ? DataType.F32 : DataType.F16;
    return add(new Operation.State(type, shape, Optional.of(Shard.of(1, group, 1))));
  }

  private int[] positions(int count, int from) {
    int[] pairs = new int[2 * count];
    for (int i = 0; i < count; i++) {
      pairs[2 * i] = from + i;
      pairs[2 * i + 1] = random.nextInt(4);
    }
    return pairs;
  }

  private Tensor topK() {
    int tokens = 1 + random.nextInt(3);
    long among = extent();
    Tensor x = operand(Shape.of(among, tokens), 2);
    int k = 1 + random.nextInt((int) among);
    return random.nextBoolean()
        ? graph.add(new Operation.TopK(k), x)
        : graph.topK(x, k, indices(positions(tokens, 0), Shape.of(2, tokens)));
  }

  private Operation.Unary.Kind unary() {
    Operation.Unary.Kind[] kinds = Operation.Unary.Kind.values();
    return kinds[random.nextInt(kinds.length)];
  }

  /** Sources that often lie alike. */
  private Tensor pair(Shape shape) {
    if (shape.ne0() % 2 == 0 && random.nextBoolean()) {
      Optional<Shard> shard = Optional.of(Shard.of(0, new ShardGroup("pair", 2), shape.ne0() / 2));
      return add(new Operation.Input(DataType.F32, shape, shard));
    }
    return operand(shape, 2);
  }

  /** An F32 tensor of a shape, now and then of the next layer. */
  private Tensor operand(Shape shape, int depth) {
    graph.layer(layer++);
    if (depth == 0) {
      return leaf(DataType.F32, shape, random.nextInt(3) > 0);
    }
    return switch (random.nextInt(10)) {
      case 0 -> leaf(DataType.F32, shape, false);
      case 1, 2 -> leaf(DataType.F32, shape, true);
      case 3 -> graph.unary(Operation.Unary.Kind.SIGMOID, operand(shape, depth - 1));
      case 4, 5 -> {
        long k = extent();
        Tensor w = leaf(DataType.F32, Shape.of(k, shape.ne0()), true);
        yield graph.matMul(w, operand(shape.with(0, k), depth - 1));
      }
      case 6 -> {
        Shape longer = shape.with(3, shape.ne3() * 2);
        yield graph.add(
            new Operation.Slice(3, shape.ne3() * random.nextInt(2), shape.ne3()),
            operand(longer, depth - 1));
      }
      case 7 -> {
        Tensor flat = operand(Shape.of(shape.elements()), depth - 1);
        yield flat.isContiguous() ? graph.reshape(flat, shape) : leaf(DataType.F32, shape, true);
      }
      case 8 -> {
        Tensor x =
            operand(new Shape(shape.ne1(), shape.ne0(), shape.ne2(), shape.ne3()), depth - 1);
        yield graph.permute(x, 1, 0, 2, 3);
      }
      default -> graph.add(operand(shape, depth - 1), operand(shape, depth - 1));
    };
  }

  private Tensor reshape(Tensor x) {
    if (!x.isContiguous()) {
      return x;
    }
    long rest = x.shape().elements();
    long[] ne = {1, 1, 1, 1};
    for (int axis = 0; axis < 3; axis++) {
      long part = 1 + random.nextInt(6);
      ne[axis] = rest % part == 0 ? part : 1;
      rest /= ne[axis];
    }
    ne[3] = rest;
    return graph.reshape(x, new Shape(ne[0], ne[1], ne[2], ne[3]));
  }

  private Tensor slice(Tensor x) {
    int axis = random.nextInt(3);
    long length = 1 + random.nextInt((int) x.ne(axis));
    long start = random.nextInt((int) (x.ne(axis) - length) + 1);
    return graph.add(new Operation.Slice(axis, start, length), x);
  }

  private Tensor permute(Tensor x) {
    List<Integer> axes = new ArrayList<>(List.of(0, 1, 2, 3));
    java.util.Collections.shuffle(axes, random);
    return graph.permute(x, axes.get(0), axes.get(1), axes.get(2), axes.get(3));
  }

  private Shape shape(int axes) {
    long[] ne = {1, 1, 1, 1};
    for (int axis = 0; axis < axes; axis++) {
      ne[axis] = axis < 2 ? extent() : 1 + random.nextInt(3);
    }
    return new Shape(ne[0], ne[1], ne[2], ne[3]);
  }

  private long extent() {
    return EXTENTS[random.nextInt(EXTENTS.length)];
  }

  private Tensor leaf(DataType type, Shape shape, boolean split) {
    Optional<Shard> shard = split ? shard(type, shape) : Optional.empty();
    return add(
        random.nextBoolean()
            ? new Operation.Weight(type, shape, shard)
            : new Operation.Input(type, shape, shard));
  }

  /** Some axis, in units that divide it, in one or two segments. */
  private Optional<Shard> shard(DataType type, Shape shape) {
    int axis = random.nextInt(4) == 0 ? random.nextInt(4) : random.nextInt(2);
    long extent = shape.ne(axis);
    if (extent == 1) {
      return Optional.empty();
    }
    List<Long> divisors = new ArrayList<>();
    for (long units = 1; units <= extent; units++) {
      if (extent % units == 0) {
        divisors.add(units);
      }
    }
    long units = divisors.get(random.nextInt(divisors.size()));
    long each = extent / units;
    var group = new ShardGroup("units" + units, units);
    boolean two = each > 1 && random.nextInt(4) == 0 && (axis > 0 || !type.isQuantized());
    return Optional.of(
        two ? new Shard(axis, group, List.of(1L, each - 1)) : Shard.of(axis, group, each));
  }

  private Tensor indices(int[] values) {
    return indices(values, Shape.of(values.length));
  }

  private Tensor indices(Shape shape, int from, int to) {
    int[] values = random.ints(shape.elements(), from, to).toArray();
    return indices(values, shape);
  }

  private Tensor indices(int[] values, Shape shape) {
    String name = "leaf" + leaves++;
    data.put(name, bytes(MemorySegment.ofArray(values)));
    return graph.input(name, DataType.I32, shape);
  }

  private Tensor add(Operation.Leaf leaf) {
    String name = "leaf" + leaves++;
    Tensor tensor = graph.add(name, leaf, List.of());
    byte[] bytes = new byte[(int) tensor.bytes()];
    dev.consort.tck.cases.Fill.uniform(0.25, 1.25)
        .fill(tensor, MemorySegment.ofArray(bytes), random);
    data.put(name, bytes);
    return tensor;
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
  }
}
