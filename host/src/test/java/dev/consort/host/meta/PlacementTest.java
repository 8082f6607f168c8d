// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.api.quant.Codec;
import dev.consort.tck.Comparison;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.LimitedDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.FieldSource;

/** What happens to operations that a member refuses, before a weight is read. */
class PlacementTest {
  private static final int WIDTH = 256;
  private static final int HIDDEN = 512;
  private static final int TOKENS = 3;
  static final List<String> KINDS = RandomGraph.KINDS;

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"I32", "F32"})
  void aMemberWithoutProductsOfATypeHoldsItsPiecesInAnother(DataType type) {
    Graph graph = feedForward(type, TOKENS);
    for (Split split : List.of(Split.TENSOR, Split.LAYER)) {
      try (GraphRun run = run(graph, split, refusing(weights(type)))) {
        MetaDevice device = (MetaDevice) run.backend().device();
        DataType held = Recoding.alternatives(type).getFirst();
        Tensor down = leaf(graph, "down");
        long whole = held.bytes(down.shape().elements());
        long bytes = MemberPieces.bytes(device, run.allocation().storage(down), 1);
        assertThat(bytes).isEqualTo(split == Split.TENSOR ? whole / 2 : whole);
        assertThat(notes(run, graph))
            .singleElement()
            .asString()
            .startsWith("p1:1 holds ")
            .contains(" as %s, not %s: ".formatted(held.label(), type.label()));
        requireAsOneDevice(run, graph, type == DataType.MXFP4 || !type.isQuantized() ? 1e-9 : 1e-6);
      }
    }
  }

  @Test
  void theSmallestTypeThatAllReadersOfTheWeightTakeIsChosen() {
    Graph graph = feedForward(DataType.Q4_K, TOKENS);
    Predicate<Tensor> f32Only =
        node ->
            node.operation() instanceof Operation.MatMul && node.source(0).type() != DataType.F32;
    try (GraphRun run = run(graph, Split.TENSOR, refusing(f32Only))) {
      assertThat(notes(run, graph)).singleElement().asString().contains(" as f32, not q4_k");
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @Test
  void whatNoTypeHelpsStaysIdle() {
    Graph graph = feedForward(DataType.Q4_K, TOKENS);
    Predicate<Tensor> products = node -> node.operation() instanceof Operation.MatMul;
    try (GraphRun run = run(graph, Split.TENSOR, refusing(products))) {
      assertThat(notes(run, graph)).singleElement().asString().startsWith("p1:1 stays idle: ");
      MetaDevice device = (MetaDevice) run.backend().device();
      for (Tensor leaf : graph.leaves()) {
        assertThat(MemberPieces.bytes(device, run.allocation().storage(leaf), 1)).isZero();
      }
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @Test
  void aRecodedWeightIsWrittenWholeAndNotReadBack() {
    Graph graph = feedForward(DataType.Q8_0, TOKENS);
    try (GraphRun run = run(graph, Split.TENSOR, refusing(weights(DataType.Q8_0)));
        Arena arena = Arena.ofShared()) {
      Tensor up = leaf(graph, "up");
      MemorySegment bytes = arena.allocate(up.bytes(), 64);
      var at = run.allocation().storage(up);
      assertThatThrownBy(() -> run.backend().set(at, 0, bytes.asSlice(0, 34)))
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("found 34 bytes")
          .hasMessageContaining("expected all 139264");
      assertThatThrownBy(() -> run.backend().get(at, 0, bytes))
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("lies in another type on p1:1#1");
    }
  }

  @Test
  void aWeightThatIsTooLargeForF16IsAnError() {
    Graph graph = feedForward(DataType.Q8_0, TOKENS);
    byte[] data = bytes(leaf(graph, "up"));
    MemorySegment up = Arena.ofAuto().allocate(data.length, 64);
    up.copyFrom(MemorySegment.ofArray(data));
    up.set(ValueLayout.JAVA_SHORT_UNALIGNED, up.byteSize() - 34, Float.floatToFloat16(60000));
    up.set(ValueLayout.JAVA_BYTE, up.byteSize() - 1, (byte) 100);
    try (GraphRun run = run(graph, Split.TENSOR, refusing(weights(DataType.Q8_0)))) {
      var at = run.allocation().storage(leaf(graph, "up"));
      assertThatThrownBy(() -> run.backend().set(at, 0, up))
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("in weight up q8_0")
          .hasMessageContaining("at most 65504");
      run.backend().synchronize();
    }
  }

  @Test
  void anOperationThatIsTheSameAsSimplerOnesIsLowered() {
    Graph graph = feedForward(DataType.F16, TOKENS);
    Predicate<Tensor> refused =
        node ->
            node.operation() instanceof Operation.Glu
                || node.operation() instanceof Operation.Unary u
                    && u.kind() == Operation.Unary.Kind.SILU;
    try (GraphRun run = run(graph, Split.TENSOR, refusing(refused))) {
      assertThat(notes(run, graph))
          .containsExactly("p1:1 computes silu, swiglu as simpler operations: not here");
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @ParameterizedTest
  @EnumSource(Operation.Glu.Kind.class)
  void everyGluIsLowered(Operation.Glu.Kind kind) {
    requireLowered(new Operation.Glu(kind, 1.7f, 0.8f), 2);
  }

  @ParameterizedTest
  @EnumSource(names = {"SILU", "GELU_QUICK"})
  void unariesAreLowered(Operation.Unary.Kind kind) {
    requireLowered(new Operation.Unary(kind), 1);
  }

  @Test
  void aDifferenceIsLowered() {
    requireLowered(new Operation.Binary(Operation.Binary.Kind.SUB), 2);
  }

  private static void requireLowered(Operation operation, int sources) {
    var builder = new GraphBuilder();
    Tensor[] of = new Tensor[sources];
    for (int i = 0; i < sources; i++) {
      of[i] = builder.input("x" + i, DataType.F32, Shape.of(WIDTH, TOKENS));
    }
    Tensor gate = builder.weight("w", DataType.F32, Shape.of(WIDTH, HIDDEN), rows(HIDDEN));
    builder.output(builder.matMul(gate, builder.add(operation, of)));
    Graph graph = builder.build();
    Device unable = refusing(node -> node.operation().equals(operation));
    try (GraphRun run = run(graph, Split.TENSOR, unable)) {
      assertThat(notes(run, graph)).singleElement().asString().contains("as simpler operations");
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @Test
  void whatOneMemberLacksAnotherComputesForAll() {
    Graph graph = feedForward(DataType.F16, TOKENS);
    Predicate<Tensor> norms = node -> node.operation() instanceof Operation.RmsNorm;
    try (GraphRun run = run(graph, Split.TENSOR, refusing(norms))) {
      assertThat(notes(run, graph))
          .singleElement()
          .asString()
          .startsWith("p0:0 computes ")
          .contains("for all")
          .contains("p1:1 refuses rms_norm: not here");
      MetaDevice device = (MetaDevice) run.backend().device();
      Tensor up = leaf(graph, "up");
      assertThat(MemberPieces.bytes(device, run.allocation().storage(up), 1))
          .isEqualTo(up.bytes() / 2);
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @Test
  void membersComputeForEachOther() {
    Graph graph = feedForward(DataType.F16, TOKENS);
    Device noNorm =
        new LimitedDevice(member(0), n -> n.operation() instanceof Operation.RmsNorm, "a");
    Device noScale =
        new LimitedDevice(member(1), n -> n.operation() instanceof Operation.Scale, "b");
    Device neither =
        new LimitedDevice(
            member(2),
            n ->
                n.operation() instanceof Operation.RmsNorm
                    || n.operation() instanceof Operation.Scale,
            "c");
    try (GraphRun run = new GraphRun(MetaDevice.even(List.of(noNorm, noScale, neither)), graph)) {
      assertThat(notes(run, graph)).noneMatch(note -> note.contains("idle"));
      requireAsOneDevice(run, graph, 1e-9);
    }
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void whateverIsRefusedTheResultIsThatOfOneDevice(String kind) {
    int moved = 0;
    for (int seed = 200; seed < 230; seed++) {
      RandomGraph.Made made = RandomGraph.of(kind, seed);
      Random random = new Random(seed);
      int members = 2 + random.nextInt(3);
      List<Device> devices = new ArrayList<>();
      for (int m = 0; m < members; m++) {
        int odds = m == members - 1 ? Integer.MAX_VALUE : 2;
        long salt = seed * 100L + m;
        devices.add(
            new LimitedDevice(
                member(m),
                node ->
                    odds == 2
                        && !node.isLeaf()
                        && new Random(salt + node.operation().label().hashCode()).nextInt(odds)
                            == 0,
                "not here"));
      }
      try (GraphRun run = new GraphRun(MetaDevice.even(devices), made.graph())) {
        moved += (int) notes(run, made.graph()).stream().filter(n -> n.contains("for all")).count();
        requireAsOneDevice(run, made.graph(), made.data(), 1e-9);
      }
    }
    if (!kind.equals("set_rows") && !kind.equals("slice")) {
      assertThat(moved).as("operations computed elsewhere").isPositive();
    }
  }

  @Test
  void graphsOfTheSameWeightsShareWhatWasDoneForOneOfThem() {
    Graph one = feedForward(DataType.Q8_0, 1);
    Graph many = feedForward(DataType.Q8_0, TOKENS);
    Device noVectors =
        refusing(node -> weights(DataType.Q8_0).test(node) && node.source(1).ne(1) == 1);
    MetaDevice device = MetaDevice.even(List.of(member(0), noVectors));
    try (GraphRun small = new GraphRun(device, one);
        GraphRun large = new GraphRun(device, many)) {
      assertThat(notes(large, many)).singleElement().asString().contains(" as f16, not q8_0");
      requireAsOneDevice(large, many, 1e-6);
      requireAsOneDevice(small, one, 1e-6);
    }
  }

  private static Predicate<Tensor> weights(DataType type) {
    return node ->
        node.operation() instanceof Operation.MatMul && node.source(0).root().type() == type;
  }

  private static ReferenceDevice member(int index) {
    return new ReferenceDevice(ReferenceOptions.of(index).plugin("p" + index));
  }

  private static Device refusing(Predicate<Tensor> refused) {
    return new LimitedDevice(member(1), refused, "not here");
  }

  private static GraphRun run(Graph graph, Split split, Device second) {
    var members = List.of(member(0), second);
    return new GraphRun(
        new MetaDevice(members, new double[] {1, 1}, split, WirePolicy.EXACT), graph);
  }

  private static List<String> notes(GraphRun run, Graph graph) {
    return ((MetaBackend) run.backend()).notes(graph);
  }

  private static Tensor leaf(Graph graph, String name) {
    return graph.leaves().stream()
        .filter(leaf -> leaf.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Shard rows(int rows) {
    return Shard.of(1, new ShardGroup("rows", rows), 1);
  }

  /** Two layers, so that there are stages too. */
  private static Graph feedForward(DataType type, int tokens) {
    var builder = new GraphBuilder();
    var hidden = new ShardGroup("hidden", HIDDEN);
    Tensor x = builder.input("x", DataType.F32, Shape.of(WIDTH, tokens));
    Tensor normed = builder.layer(0).rmsNorm(builder.scale(x, 0.5f), 1e-5f);
    Tensor gate = builder.weight("gate", type, Shape.of(WIDTH, HIDDEN), Shard.of(1, hidden, 1));
    Tensor up = builder.weight("up", type, Shape.of(WIDTH, HIDDEN), Shard.of(1, hidden, 1));
    Tensor h =
        builder.glu(
            Operation.Glu.Kind.SWIGLU, builder.matMul(gate, normed), builder.matMul(up, normed));
    builder.layer(1);
    Tensor down = builder.weight("down", type, Shape.of(HIDDEN, WIDTH), Shard.of(0, hidden, 1));
    builder.output(builder.rmsNorm(builder.add(x, builder.matMul(down, h)), 1e-5f));
    return builder.build();
  }

  private static Map<String, byte[]> data(Graph graph) {
    Map<String, byte[]> data = new HashMap<>();
    for (Tensor leaf : graph.leaves()) {
      data.put(leaf.name(), bytes(leaf));
    }
    return data;
  }

  private static byte[] bytes(Tensor leaf) {
    Random random = new Random(leaf.name().hashCode());
    int n = Math.toIntExact(leaf.shape().elements());
    byte[] bytes = new byte[Math.toIntExact(leaf.bytes())];
    if (!Codec.of(leaf.type()).encodes()) {
      return blocks(leaf.type(), bytes, random);
    }
    MemorySegment floats = MemorySegment.ofArray(new float[n]);
    for (int i = 0; i < n; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    Codec.of(leaf.type()).encode(floats, 0, MemorySegment.ofArray(bytes), 0, n);
    return bytes;
  }

  /** Whichever half words the type's scales are, they are between 1/16 and 1/8. */
  private static byte[] blocks(DataType type, byte[] bytes, Random random) {
    for (int i = 0; i < bytes.length; i += 2) {
      bytes[i] = (byte) random.nextInt(256);
      bytes[i + 1] = (byte) (0x2C + random.nextInt(4));
    }
    for (int i = 0; type == DataType.MXFP4 && i < bytes.length; i += type.blockBytes()) {
      bytes[i] = (byte) (120 + random.nextInt(8));
    }
    return bytes;
  }

  private static void requireAsOneDevice(GraphRun run, Graph graph, double limit) {
    requireAsOneDevice(run, graph, data(graph), limit);
  }

  private static void requireAsOneDevice(
      GraphRun run, Graph graph, Map<String, byte[]> data, double limit) {
    Map<String, byte[]> expected = GraphRun.once(new ReferenceDevice(0), graph, data);
    Map<String, byte[]> found = run.run(data);
    for (Tensor output : graph.outputs()) {
      Comparison comparison =
          Comparison.of(
              output,
              MemorySegment.ofArray(expected.get(output.name())),
              MemorySegment.ofArray(found.get(output.name())));
      assertThat(comparison.within(limit)).as("%s: %s", output, comparison).isTrue();
    }
  }
}
