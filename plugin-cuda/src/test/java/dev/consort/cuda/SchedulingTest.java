// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What runs as one kernel, and what must not. Needs no device. */
class SchedulingTest {
  private static final Chip CHIP = new Chip(132, 227 << 10, Chip.Copies.BULK);

  private final GraphBuilder graph = new GraphBuilder();
  private final Tensor x = graph.input("x", DataType.F32, Shape.of(256, 1));

  private static List<List<String>> steps(Graph graph) {
    return Scheduling.of(graph, CHIP).steps().stream()
        .map(step -> step.nodes().stream().map(node -> node.operation().label()).toList())
        .toList();
  }

  private Tensor weight(String name, DataType type, int rows) {
    return graph.weight(name, type, Shape.of(256, rows));
  }

  private Tensor normed(Tensor of) {
    Tensor norm = graph.add(new Operation.RmsNorm(1e-5f), of);
    return graph.mul(norm, graph.weight("norm", DataType.F32, Shape.of(256)));
  }

  @Test
  void addition_norm_and_weight_are_one() {
    Tensor sum = graph.add(x, graph.input("y", DataType.F32, Shape.of(256, 1)));
    graph.output(graph.add(sum, normed(sum)));
    assertThat(steps(graph.build()))
        .containsExactly(List.of("add", "rms_norm", "mul"), List.of("add"));
  }

  @Test
  void a_norm_that_somebody_else_reads_stays_alone() {
    Tensor norm = graph.add(new Operation.RmsNorm(1e-5f), x);
    Tensor weighted = graph.mul(norm, graph.weight("norm", DataType.F32, Shape.of(256)));
    graph.output(graph.add(weighted, norm));
    assertThat(steps(graph.build()))
        .containsExactly(List.of("rms_norm"), List.of("mul"), List.of("add"));
  }

  @Test
  void a_sum_that_is_read_before_its_norm_stays_alone() {
    Tensor sum = graph.add(x, graph.input("y", DataType.F32, Shape.of(256, 1)));
    Tensor early = graph.scale(sum, 2);
    graph.output(graph.add(early, normed(sum)));
    assertThat(steps(graph.build()))
        .containsExactly(
            List.of("add"), List.of("scale"), List.of("rms_norm", "mul"), List.of("add"));
  }

  @Test
  void a_gate_and_what_it_opens_are_one_for_a_single_token() {
    Tensor gate = graph.matMul(weight("gate", DataType.Q4_K, 512), x);
    Tensor up = graph.matMul(weight("up", DataType.Q4_K, 512), x);
    graph.output(graph.glu(Operation.Glu.Kind.SWIGLU, gate, up));
    assertThat(steps(graph.build())).containsExactly(List.of("mat_mul", "mat_mul", "swiglu"));
  }

  @Test
  void a_gate_of_floats_is_one_with_what_it_opens() {
    Tensor gate = graph.matMul(weight("gate", DataType.F16, 512), x);
    Tensor up = graph.matMul(weight("up", DataType.F16, 512), x);
    graph.output(graph.glu(Operation.Glu.Kind.SWIGLU, gate, up));
    assertThat(steps(graph.build())).containsExactly(List.of("mat_mul", "mat_mul", "swiglu"));
  }

  @Test
  void a_norm_is_computed_by_the_gate_that_alone_reads_it() {
    Tensor sum = graph.add(x, graph.input("y", DataType.F32, Shape.of(256, 1)));
    Tensor made = normed(sum);
    Tensor gate = graph.matMul(weight("gate", DataType.F16, 512), made);
    Tensor up = graph.matMul(weight("up", DataType.F16, 512), made);
    Tensor opened = graph.glu(Operation.Glu.Kind.SWIGLU, gate, up);
    Tensor down = graph.matMul(graph.weight("down", DataType.F16, Shape.of(512, 256)), opened);
    graph.output(graph.add(sum, down));
    Graph built = graph.build();
    assertThat(steps(built).stream().map(List::size)).containsExactly(6, 1, 1);
    assertThat(Scheduling.of(built, CHIP).stored(built)).contains(sum).doesNotContain(made);
  }

  @Test
  void a_norm_whose_form_is_eight_bits_has_a_kernel_of_its_own() {
    Tensor made = normed(x);
    Tensor gate = graph.matMul(weight("gate", DataType.Q4_K, 512), made);
    Tensor up = graph.matMul(weight("up", DataType.Q4_K, 512), made);
    graph.output(graph.glu(Operation.Glu.Kind.SWIGLU, gate, up));
    assertThat(steps(graph.build()).stream().map(List::size)).containsExactly(2, 3);
  }

  @Test
  void a_norm_that_others_read_too_is_not_computed_by_a_gate() {
    Tensor made = normed(x);
    Tensor gate = graph.matMul(weight("gate", DataType.F16, 512), made);
    Tensor up = graph.matMul(weight("up", DataType.F16, 512), made);
    graph.output(graph.glu(Operation.Glu.Kind.SWIGLU, gate, up));
    graph.output(graph.matMul(weight("router", DataType.F32, 8), made));
    assertThat(steps(graph.build()).stream().map(List::size)).containsExactly(2, 3, 1);
  }

  @Test
  void a_gate_of_another_type_stays_alone() {
    Tensor gate = graph.matMul(weight("gate", DataType.Q4_K, 512), x);
    Tensor up = graph.matMul(weight("up", DataType.Q6_K, 512), x);
    graph.output(graph.glu(Operation.Glu.Kind.SWIGLU, gate, up));
    assertThat(steps(graph.build()))
        .containsExactly(List.of("mat_mul", "mat_mul"), List.of("swiglu"));
  }

  @Test
  void products_of_floats_join_only_their_like() {
    Tensor a = graph.matMul(weight("a", DataType.F16, 32), x);
    Tensor b = graph.matMul(weight("b", DataType.BF16, 32), x);
    Tensor c = graph.matMul(weight("c", DataType.F16, 32), x);
    graph.output(graph.add(graph.add(a, c), b));
    assertThat(steps(graph.build()).stream().map(List::size)).startsWith(2, 1);
  }

  @Test
  void queries_are_turned_and_keys_and_values_stored_in_one() {
    Operation.Rope rope =
        new Operation.Rope(Operation.Rope.Mode.NORM, 64, 10000, 1, 0, 1, 32, 1, 2048);
    Tensor positions = graph.input("positions", DataType.I32, Shape.of(1));
    Tensor slots = graph.input("slots", DataType.I32, Shape.of(1));
    Tensor q = graph.add(rope, graph.input("q", DataType.F32, Shape.of(64, 4, 1)), positions);
    Tensor k = graph.add(rope, graph.input("k", DataType.F32, Shape.of(64, 2, 1)), positions);
    Tensor v = graph.input("v", DataType.F32, Shape.of(64, 2, 1));
    Tensor keys = graph.state("keys", DataType.F16, Shape.of(64, 2, 32));
    Tensor values = graph.state("values", DataType.F16, Shape.of(64, 2, 32));
    Tensor attended =
        graph.add(
            new Operation.Attention(0.125f, 0, 0),
            q,
            graph.setRows(keys, k, slots),
            graph.setRows(values, v, slots),
            graph.input("queries", DataType.I32, Shape.of(2, 1)),
            graph.input("cells", DataType.I32, Shape.of(2, 32)),
            graph.input("live", DataType.I32, Shape.of(1)));
    graph.output(attended);
    Graph built = graph.build();
    assertThat(steps(built))
        .containsExactly(List.of("rope", "rope", "set_rows", "set_rows"), List.of("attention"));
    Schedule schedule = Scheduling.of(built, CHIP);
    assertThat(schedule.stored(built)).doesNotContain(k).contains(q);
  }

  private static final Operation.Rope ROPE =
      new Operation.Rope(Operation.Rope.Mode.NORM, 64, 10000, 1, 0, 1, 32, 1, 2048);

  /** Attention of one token, and the products of its queries, keys and values. */
  private List<Tensor> attended() {
    Tensor positions = graph.input("positions", DataType.I32, Shape.of(1));
    Tensor slots = graph.input("slots", DataType.I32, Shape.of(1));
    Tensor q = graph.matMul(weight("q", DataType.Q4_K, 256), x);
    Tensor k = graph.matMul(weight("k", DataType.Q4_K, 128), x);
    Tensor v = graph.matMul(weight("v", DataType.Q6_K, 128), x);
    Tensor keys = graph.state("keys", DataType.F16, Shape.of(64, 2, 32));
    Tensor values = graph.state("values", DataType.F16, Shape.of(64, 2, 32));
    Tensor turned = graph.add(ROPE, graph.reshape(k, Shape.of(64, 2, 1)), positions);
    Tensor attended =
        graph.add(
            new Operation.Attention(0.125f, 0, 0),
            graph.add(ROPE, graph.reshape(q, Shape.of(64, 4, 1)), positions),
            graph.setRows(keys, turned, slots),
            graph.setRows(values, graph.reshape(v, Shape.of(64, 2, 1)), slots),
            graph.input("queries", DataType.I32, Shape.of(2, 1)),
            graph.input("cells", DataType.I32, Shape.of(2, 32)),
            graph.input("live", DataType.I32, Shape.of(1)));
    graph.output(attended);
    return List.of(q, k, v);
  }

  @Test
  void the_products_of_a_single_token_are_turned_and_stored_by_the_kernel_that_computes_them() {
    attended();
    Graph built = graph.build();
    assertThat(steps(built).stream().map(List::size)).containsExactly(7, 1);
    Chip plain = new Chip(132, 48 << 10, Chip.Copies.NONE);
    assertThat(Scheduling.of(built, plain).steps().stream().map(step -> step.nodes().size()))
        .containsExactly(3, 4, 1);
  }

  @Test
  void products_that_somebody_else_reads_are_not_turned_where_they_are_computed() {
    graph.output(attended().get(1));
    assertThat(steps(graph.build()).stream().map(List::size)).containsExactly(3, 4, 1);
  }

  @Test
  void scratch_has_room_for_activations_and_decoded_weights() {
    Tensor many = graph.input("many", DataType.F32, Shape.of(256, 64));
    graph.output(graph.matMul(weight("w", DataType.Q4_K, 512), many));
    long halves = 2 * 256 * 64 + 4 * 64;
    assertThat(Scheduling.of(graph.build(), CHIP).scratchBytes())
        .isGreaterThanOrEqualTo(2 * halves + 2 * 256 * 512);
  }

  @Test
  void every_form_has_the_number_that_the_kernels_give_it() {
    assertThat(Stream.of(Form.values()).map(Form::kind)).containsExactly(1, 2, 3);
  }

  @Test
  void a_product_over_no_elements_wants_no_form_of_its_activations() {
    for (long columns : new long[] {1, 40}) {
      Tensor nothing = graph.input("nothing" + columns, DataType.F32, Shape.of(0, columns));
      Tensor weight = graph.weight("w" + columns, DataType.Q4_K, Shape.of(0, 64));
      assertThat(MatrixKernels.form(graph.matMul(weight, nothing))).isEmpty();
    }
  }
}
