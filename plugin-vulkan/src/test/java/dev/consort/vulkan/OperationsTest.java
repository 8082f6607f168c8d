// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Reference;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What the kit does not reach: column counts on both sides of each kernel's limits, with errors of
 * F32 arithmetic, not of quantised activations; views; and aligned and unaligned rows.
 */
@ExtendWith(Rig.Closing.class)
class OperationsTest {
  /** Builds a graph's output; leaves are made with random content unless given here. */
  private record Case(
      String name, double limit, Function<GraphBuilder, Tensor> build, Map<String, byte[]> given) {
    Case(String name, double limit, Function<GraphBuilder, Tensor> build) {
      this(name, limit, build, Map.of());
    }
  }

  private static final double ELEMENT = 1e-10;
  private static final double PRODUCT = 1e-10;

  /** Where matrix cores round both factors to F16. */
  private static final double HALVES = 1e-6;

  private static Tensor input(GraphBuilder b, String name, long... ne) {
    return b.input(name, DataType.F32, shape(ne));
  }

  private static Tensor indices(GraphBuilder b, String name, long... ne) {
    return b.input(name, DataType.I32, shape(ne));
  }

  private static Shape shape(long... ne) {
    long[] all = Arrays.copyOf(ne, 4);
    for (int i = ne.length; i < 4; i++) {
      all[i] = 1;
    }
    return new Shape(all[0], all[1], all[2], all[3]);
  }

  private static List<Case> products() {
    List<Case> cases = new ArrayList<>();
    for (DataType type : DataType.values()) {
      if (type == DataType.I32) {
        continue;
      }
      for (long n : new long[] {1, 2, 3, 5, 8, 9, 33, 70}) {
        cases.add(
            new Case(
                "mat_mul " + type.label() + " n=" + n,
                PRODUCT,
                b -> b.matMul(b.weight("w", type, shape(512, 37)), input(b, "x", 512, n))));
      }
      cases.add(
          new Case(
              "get_rows " + type.label(),
              0,
              b -> b.getRows(b.weight("w", type, shape(256, 9)), indices(b, "ids", 5)),
              Map.of("ids", Data.bytes(3, -1, 8, 0, 3))));
      for (long tokens : new long[] {1, 3, 40}) {
        int[] ids = new int[(int) tokens * 2];
        Random random = new Random(tokens);
        for (int i = 0; i < ids.length; i += 2) {
          ids[i] = random.nextInt(6);
          ids[i + 1] = i % 5 == 4 ? -1 : (ids[i] + 1) % 6;
        }
        for (long used : new long[] {1, 2}) {
          cases.add(
              new Case(
                  "mat_mul_id " + type.label() + " tokens=" + tokens + " x rows=" + used,
                  PRODUCT,
                  b ->
                      b.matMulId(
                          b.weight("w", type, shape(256, 20, 6)),
                          input(b, "x", 256, used, tokens),
                          indices(b, "ids", 2, tokens)),
                  Map.of("ids", Data.bytes(ids))));
        }
      }
    }
    for (DataType type : List.of(DataType.F16, DataType.Q8_0, DataType.Q4_0, DataType.Q6_K)) {
      cases.add(
          new Case(
              "mat_mul " + type.label() + " of several tiles",
              PRODUCT,
              b -> b.matMul(b.weight("w", type, shape(768, 301)), input(b, "x", 768, 200))));
    }
    cases.add(
        new Case(
            "mat_mul q8_0 of rows that end within a tile, scaled far out",
            PRODUCT,
            b ->
                b.matMul(
                    b.weight("w", DataType.Q8_0, shape(544, 130)),
                    b.scale(input(b, "x", 544, 129), 1e7f))));
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      for (long k : new long[] {1, 7, 33, 48}) {
        cases.add(
            new Case(
                "mat_mul " + type.label() + " k=" + k,
                PRODUCT,
                b -> b.matMul(b.weight("w", type, shape(k, 11)), input(b, "x", k, 6))));
      }
      cases.add(
          new Case(
              "mat_mul " + type.label() + " repeated over a batch",
              PRODUCT,
              b -> b.matMul(b.weight("w", type, shape(32, 6, 2, 2)), input(b, "x", 32, 3, 4, 6))));
      cases.add(
          new Case(
              "mat_mul " + type.label() + " of permuted sources",
              PRODUCT,
              b ->
                  b.matMul(
                      b.permute(b.weight("w", type, shape(10, 32, 2)), 1, 0, 2, 3),
                      b.permute(input(b, "x", 32, 2, 5), 0, 2, 1, 3))));
    }
    cases.add(
        new Case(
            "mat_mul q8_0 of a slice that is not aligned",
            PRODUCT,
            b ->
                b.matMul(
                    b.weight("w", DataType.Q8_0, shape(64, 9)),
                    b.slice(input(b, "x", 67, 4), 0, 3, 64))));
    cases.add(
        new Case(
            "mat_mul q4_k of slices of rows and blocks",
            PRODUCT,
            b ->
                b.matMul(
                    b.slice(
                        b.slice(b.weight("w", DataType.Q4_K, shape(768, 20)), 1, 3, 12),
                        0,
                        256,
                        512),
                    b.slice(input(b, "x", 768, 3), 0, 256, 512))));
    return cases;
  }

  private static List<Case> elements() {
    List<Case> cases = new ArrayList<>();
    for (Operation.Unary.Kind kind : Operation.Unary.Kind.values()) {
      cases.add(new Case("unary " + kind, ELEMENT, b -> b.unary(kind, input(b, "x", 33, 5))));
    }
    for (Operation.Glu.Kind kind : Operation.Glu.Kind.values()) {
      cases.add(
          new Case(
              "glu " + kind,
              ELEMENT,
              b ->
                  b.add(
                      new Operation.Glu(kind, 1.7f, 0.9f),
                      input(b, "x", 33, 5),
                      input(b, "y", 33, 5))));
    }
    for (long[] ne : new long[][] {{12, 6, 4, 2}, {12, 1, 1, 1}, {1, 6, 1, 1}, {4, 3, 2, 1}}) {
      for (Operation.Binary.Kind kind : Operation.Binary.Kind.values()) {
        cases.add(
            new Case(
                "binary " + kind + " " + Arrays.toString(ne),
                ELEMENT,
                b ->
                    b.add(
                        new Operation.Binary(kind),
                        input(b, "x", 12, 6, 4, 2),
                        input(b, "y", ne))));
      }
    }
    cases.add(
        new Case(
            "add of views",
            ELEMENT,
            b ->
                b.add(
                    b.permute(input(b, "x", 6, 7, 5), 1, 2, 0, 3),
                    b.slice(input(b, "y", 9, 6, 7), 0, 2, 5))));
    cases.add(
        new Case(
            "scale",
            ELEMENT,
            b -> b.add(new Operation.Scale(0.3f, -2f), b.slice(input(b, "x", 9, 8), 1, 2, 5))));
    cases.add(new Case("clamp", ELEMENT, b -> b.clamp(input(b, "x", 99), -0.5f, 0.25f)));
    for (long n : new long[] {1, 31, 64, 1000}) {
      cases.add(new Case("rms_norm " + n, ELEMENT, b -> b.rmsNorm(input(b, "x", n, 3, 2), 1e-5f)));
      cases.add(new Case("soft_max " + n, ELEMENT, b -> b.softMax(input(b, "x", n, 3, 2))));
      cases.add(
          new Case(
              "rms_norm times a weight " + n,
              ELEMENT,
              b ->
                  b.mul(
                      b.rmsNorm(input(b, "x", n, 3), 1e-6f),
                      b.weight("w", DataType.F32, shape(n)))));
    }
    for (int axis = 0; axis < 4; axis++) {
      int of = axis;
      cases.add(new Case("sum " + axis, ELEMENT, b -> b.sum(input(b, "x", 37, 4, 3, 2), of)));
      cases.add(
          new Case(
              "sum of nothing " + axis,
              0,
              b -> b.sum(b.slice(input(b, "x", 4, 4, 3, 2), of, 1, 0), of)));
    }
    return cases;
  }

  private static List<Case> moves() {
    List<Case> cases = new ArrayList<>();
    for (DataType from : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      for (DataType to : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
        cases.add(
            new Case(
                "copy " + from.label() + " to " + to.label(),
                0,
                b ->
                    b.copy(
                        b.slice(
                            b.permute(b.weight("w", from, shape(5, 3, 7)), 2, 0, 1, 3), 0, 1, 2),
                        to)));
      }
    }
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      for (long d : new long[] {5, 8}) {
        cases.add(
            new Case(
                "set_rows " + type.label() + " d=" + d,
                0,
                b ->
                    b.setRows(
                        b.state("s", type, shape(d, 3, 7)),
                        input(b, "x", d, 3, 4),
                        indices(b, "ids", 4)),
                Map.of("ids", Data.bytes(6, -1, 0, 3))));
        cases.add(
            new Case(
                "set_rows of rank two " + type.label() + " d=" + d,
                0,
                b ->
                    b.setRows(
                        b.state("s", type, shape(d, 7)), input(b, "x", d, 3), indices(b, "ids", 3)),
                Map.of("ids", Data.bytes(1, 2, 0))));
      }
    }
    for (int k : new int[] {1, 2, 8}) {
      cases.add(
          new Case("top_k " + k, 0, b -> b.add(new Operation.TopK(k), input(b, "x", 200, 5))));
    }
    cases.add(
        new Case(
            "top_k with ties and masked rows",
            0,
            b -> b.topK(input(b, "x", 6, 3), 4, indices(b, "ids", 2, 3)),
            Map.of(
                "x",
                Data.bytes(1f, 3, 3, -0f, 0, 3, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0),
                "ids",
                Data.bytes(0, 1, 1, 0, 2, 2))));
    return cases;
  }

  private static List<Case> positions() {
    List<Case> cases = new ArrayList<>();
    for (Operation.Rope.Mode mode : Operation.Rope.Mode.values()) {
      for (int dims : new int[] {32, 20}) {
        for (float ext : new float[] {0, 1}) {
          var op = new Operation.Rope(mode, dims, 10000, ext == 0 ? 1 : 0.25f, ext, 1, 32, 1, 4096);
          cases.add(
              new Case(
                  "rope " + mode + " " + dims + (ext == 0 ? "" : " yarn"),
                  1e-9,
                  b -> b.add(op, input(b, "x", 32, 3, 4), indices(b, "ids", 4)),
                  Map.of("ids", Data.bytes(0, 1, 999, 7))));
        }
        var op = new Operation.Rope(mode, dims, 500000, 1, 0, 1, 32, 1, 8192);
        cases.add(
            new Case(
                "rope " + mode + " " + dims + " with factors",
                1e-9,
                b ->
                    b.add(
                        op,
                        input(b, "x", 32, 3, 4),
                        indices(b, "ids", 4),
                        b.weight("w", DataType.F32, shape(dims / 2))),
                Map.of("ids", Data.bytes(3, 1, 99, 7), "w", Data.bytes(ramp(dims / 2)))));
      }
    }
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      for (long[] d : new long[][] {{32, 32}, {64, 48}, {6, 10}}) {
        for (int tokens : new int[] {1, 3}) {
          for (boolean sinks : new boolean[] {false, true}) {
            cases.add(attention(type, d, tokens, sinks, sinks ? 9 : 0, sinks ? 5 : 0, 300));
          }
        }
      }
    }
    for (int tokens : new int[] {17, 100}) {
      for (boolean sinks : new boolean[] {false, true}) {
        for (long d : new long[] {64, 128}) {
          long[] both = {d, d};
          cases.add(
              attention(DataType.F16, both, tokens, sinks, sinks ? 9 : 0, sinks ? 5 : 0, 300));
        }
      }
    }
    cases.add(attention(DataType.F32, new long[] {32, 32}, 2, true, 0, 0, 0));
    return cases;
  }

  private static float[] ramp(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = 1 + 0.3f * i;
    }
    return values;
  }

  private static Case attention(
      DataType type, long[] d, int tokens, boolean sinks, float softcap, int window, int live) {
    int capacity = 333;
    Random random = new Random(7);
    int[] cells = new int[capacity * 2];
    for (int i = 0; i < capacity; i++) {
      cells[2 * i] = i / 2;
      cells[2 * i + 1] = 1 << random.nextInt(3);
    }
    int[] queries = new int[tokens * 2];
    for (int t = 0; t < tokens; t++) {
      queries[2 * t] = t < 3 ? 140 - 60 * t : 30 + t;
      queries[2 * t + 1] = t == 2 ? 0 : 1 + t % 7;
    }
    var op = new Operation.Attention(0.2f, softcap, window);
    return new Case(
        "attention %s %d/%d tokens=%d sinks=%s window=%d live=%d"
            .formatted(type.label(), d[0], d[1], tokens, sinks, window, live),
        1e-9,
        b -> {
          List<Tensor> sources =
              new ArrayList<>(
                  List.of(
                      input(b, "q", d[0], 6, tokens),
                      b.state("k", type, shape(d[0], 2, capacity)),
                      b.state("v", type, shape(d[1], 2, capacity)),
                      indices(b, "queries", 2, tokens),
                      indices(b, "cells", 2, capacity),
                      indices(b, "live", 1)));
          if (sinks) {
            sources.add(b.weight("sinks", DataType.F32, shape(6)));
          }
          return b.add(op, sources.toArray(Tensor[]::new));
        },
        Map.of(
            "queries", Data.bytes(queries),
            "cells", Data.bytes(cells),
            "live", Data.bytes(live)));
  }

  @TestFactory
  Stream<DynamicTest> products_match() {
    return all(products());
  }

  @TestFactory
  Stream<DynamicTest> elementwise_operations_match() {
    return all(elements());
  }

  @TestFactory
  Stream<DynamicTest> moves_are_exact() {
    return all(moves());
  }

  @TestFactory
  Stream<DynamicTest> rope_and_attention_match() {
    return all(positions());
  }

  /** Software devices are tuned past the kernels of GPUs; these must be right all the same. */
  @TestFactory
  Stream<DynamicTest> the_kernels_of_gpus_match() {
    List<Case> cases = new ArrayList<>();
    for (Case c : products()) {
      boolean shape = c.name().matches(".*(n=9|n=33|n=70|tokens=40.*=1|aligned)");
      if (shape && c.name().matches(".* (f16|q8_0|q4_k) .*")) {
        cases.add(c);
      }
    }
    for (Case c : Stream.concat(elements().stream(), positions().stream()).toList()) {
      if (c.name().matches("(rms_norm|soft_max|sum|attention f16 64).*")) {
        cases.add(c);
      }
    }
    return all(cases, Rig.devicesAsGpus());
  }

  private static Stream<DynamicTest> all(List<Case> cases) {
    return all(cases, Rig.devices());
  }

  private static Stream<DynamicTest> all(List<Case> cases, Stream<Device> devices) {
    return devices.flatMap(
        device ->
            cases.stream()
                .map(
                    c ->
                        DynamicTest.dynamicTest(
                            device.info().name() + ": " + c.name(), () -> check(device, c))));
  }

  private static void check(Device device, Case c) {
    var builder = new GraphBuilder();
    Tensor output = builder.output(c.build().apply(builder));
    Graph graph = builder.build();
    var random = new Random(c.name().hashCode());
    Map<Tensor, byte[]> leaves = new HashMap<>();
    Map<String, MemorySegment> segments = new HashMap<>();
    for (Tensor leaf : graph.leaves()) {
      byte[] bytes = c.given().get(leaf.name());
      if (bytes == null) {
        bytes = Data.random(leaf, random);
      }
      leaves.put(leaf, bytes);
      segments.put(leaf.name(), MemorySegment.ofArray(bytes));
    }
    var support = device.supports(output);
    assertThat(support.supported()).as(support.reason()).isTrue();
    byte[] bytes = Rig.run(device, graph, leaves, output);
    double[] found = Data.decode(output.type(), bytes);
    byte[] truth =
        Reference.evaluate(graph, segments).get(output.name()).toArray(ValueLayout.JAVA_BYTE);
    assertThat(Data.nmse(found, Data.decode(output.type(), truth)))
        .isLessThanOrEqualTo(limit(device, output, c));
  }

  private static double limit(Device device, Tensor output, Case c) {
    Tuning tuning = ((VulkanDevice) device).tuning();
    boolean halves =
        switch (output.operation()) {
          case Operation.MatMul op -> MatrixCores.take(output, tuning);
          case Operation.Attention op -> AttentionKernels.fitsCores(output, tuning);
          default -> false;
        };
    return halves ? Math.max(c.limit(), HALVES) : c.limit();
  }
}
