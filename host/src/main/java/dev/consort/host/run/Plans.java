// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import dev.consort.host.memory.ComputeMemory;
import dev.consort.host.memory.Layout;
import dev.consort.host.memory.Piece;
import dev.consort.model.Model;
import dev.consort.model.arch.Blocks;
import dev.consort.model.arch.GraphSize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The plans of an engine, one for each number of tokens and outputs; made at first use and kept.
 * All share one memory for intermediate tensors.
 */
final class Plans implements AutoCloseable {
  private final Model model;
  private final Backend backend;
  private final EngineOptions options;
  private final int context;
  private final ComputeMemory memory;
  private final List<Allocation> logits = new ArrayList<>();

  /** By the buckets of tokens and outputs. */
  private final @Nullable StepPlan[][] made = new StepPlan[Integer.SIZE][Integer.SIZE];

  private int count;
  private Allocation leaves;
  private int logitRows;

  Plans(Model model, Backend backend, EngineOptions options, int context) {
    this.model = model;
    this.backend = backend;
    this.options = options;
    this.context = context;
    this.memory = new ComputeMemory(backend.device().bufferType());
    this.leaves = Allocation.of(List.of(), List.of());
  }

  /** The graph of a step. */
  Graph graph(int tokens, int outputs) {
    return model.graph(
        new GraphSize(
            tokens, outputs, context, context, options.cacheKeys(), options.cacheValues()));
  }

  /** Says where weights, states and inputs lie. */
  void bind(Allocation all) {
    leaves = all;
  }

  /** How many plans were made so far. */
  int count() {
    return count;
  }

  /** The plan for a bucket of tokens and one of outputs. */
  StepPlan plan(int tokens, int outputs) {
    StepPlan[] ofTokens = made[Buckets.index(tokens)];
    StepPlan plan = ofTokens[Buckets.index(outputs)];
    if (plan == null) {
      plan = make(tokens, outputs);
      ofTokens[Buckets.index(outputs)] = plan;
      count++;
    }
    return plan;
  }

  private StepPlan make(int tokens, int outputs) {
    Graph graph = graph(tokens, outputs);
    Schedule schedule = backend.schedule(graph);
    Tensor output = graph.outputs().iterator().next();
    if (outputs > logitRows) {
      logits.add(backend.device().bufferType().allocate(List.of(output.root())));
      logitRows = outputs;
    }
    Allocation known = Allocation.join(List.of(leaves, logits.getLast()));
    Layout layout =
        new Layout(
            backend.device().bufferType(),
            List.of(new Piece(graph, schedule)),
            Map.of(),
            Map.of(),
            known::holds,
            List.of());
    Allocation allocation = Allocation.join(List.of(known, memory.allocate(layout)));
    Plan plan = backend.compile(graph, schedule, allocation);
    Map<String, Storage> inputs = new HashMap<>();
    for (Tensor leaf : graph.leaves()) {
      if (leaf.operation() instanceof Operation.Input) {
        inputs.put(leaf.name(), allocation.storage(leaf));
      }
    }
    return new StepPlan(
        tokens,
        outputs,
        plan,
        inputs.get(Blocks.EMBEDDINGS),
        Optional.ofNullable(inputs.get(Blocks.POSITIONS)),
        inputs.get(Blocks.SLOTS),
        inputs.get(Blocks.QUERIES),
        inputs.get(Blocks.CELLS),
        inputs.get(Blocks.LIVE),
        inputs.get(Blocks.OUTPUTS),
        Optional.ofNullable(inputs.get(Blocks.TEMPERATURES)),
        allocation.storage(output));
  }

  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>();
    Stream.of(made)
        .flatMap(Stream::of)
        .filter(Objects::nonNull)
        .forEach(step -> all.add(step.plan()));
    all.add(memory);
    all.addAll(logits);
    Closing.all(all);
  }
}
