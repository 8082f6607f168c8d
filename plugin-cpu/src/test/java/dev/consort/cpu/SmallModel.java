// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** One layer with a norm, products, a cache and attention, bound to memory and compiled. */
final class SmallModel implements AutoCloseable {
  private static final int WIDTH = 64;
  private static final int CELLS = 512;

  private final Allocation memory;
  private final Allocation scratch;
  final Plan plan;
  final Storage input;
  final Storage output;

  /**
   * @param partial what to put between the last product and the output
   */
  SmallModel(Backend backend, UnaryOperator<Tensor> partial, GraphBuilder graph) {
    Tensor x = graph.input("x", DataType.F32, Shape.of(WIDTH, 1));
    Tensor ids = graph.input("ids", DataType.I32, Shape.of(1));
    Tensor queries = graph.input("queries", DataType.I32, Shape.of(2, 1));
    Tensor cells = graph.input("cells", DataType.I32, Shape.of(2, CELLS));
    Tensor live = graph.input("live", DataType.I32, Shape.of(1));
    Tensor norm = graph.weight("norm", DataType.F32, Shape.of(WIDTH));
    Tensor h = graph.mul(graph.rmsNorm(x, 1e-5f), norm);
    Tensor k = graph.state("k", DataType.F16, Shape.of(32, 1, CELLS));
    Tensor v = graph.state("v", DataType.F16, Shape.of(32, 1, CELLS));
    Tensor q = heads(graph, weight(graph, "wq", DataType.Q8_0, WIDTH), h, 2);
    Tensor newK = graph.setRows(k, heads(graph, weight(graph, "wk", DataType.Q4_0, 32), h, 1), ids);
    Tensor newV = graph.setRows(v, heads(graph, weight(graph, "wv", DataType.F16, 32), h, 1), ids);
    Tensor attention =
        graph.add(new Operation.Attention(0.2f, 0, 0), q, newK, newV, queries, cells, live);
    Tensor flat = graph.reshape(attention, Shape.of(WIDTH, 1));
    Tensor sum = graph.matMul(weight(graph, "wo", DataType.Q8_0, WIDTH), flat);
    Tensor out = graph.output(graph.add(x, partial.apply(sum)));
    Graph built = graph.build();
    Schedule schedule = backend.schedule(built);
    List<Tensor> tensors = new ArrayList<>(built.leaves());
    tensors.addAll(schedule.stored(built));
    memory = backend.device().bufferType().allocate(tensors);
    memory.buffers().forEach(buffer -> buffer.fill((byte) 0));
    var area = backend.device().bufferType().allocate(schedule.scratchBytes() + 64);
    Storage place = new Storage(x, area, 0);
    scratch = Allocation.of(List.of(), List.of(area));
    plan = backend.compile(built, schedule, memory.withScratch(place));
    input = memory.storage(x);
    output = memory.storage(out);
  }

  private static Tensor weight(GraphBuilder graph, String name, DataType type, int rows) {
    return graph.weight(name, type, Shape.of(WIDTH, rows));
  }

  private static Tensor heads(GraphBuilder graph, Tensor weight, Tensor h, int heads) {
    return graph.reshape(graph.matMul(weight, h), Shape.of(32, heads, 1));
  }

  @Override
  public void close() {
    plan.close();
    scratch.close();
    memory.close();
  }
}
