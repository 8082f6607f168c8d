// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.host.Closing;
import dev.consort.model.Model;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts batches into a stream, a micro-batch a step: takes cells for the tokens, writes the inputs,
 * submits the plan and asks for the logits. Several steps may be in flight. Makes no garbage.
 */
final class Steps implements AutoCloseable {
  private static final int IN_FLIGHT = 4;

  private final Backend backend;
  private final Plans plans;
  private final Cells cells;
  private final Logits logits;
  private final int microBatch;
  private final List<StepInputs> inputs = new ArrayList<>();
  private int turn;
  private long waits;
  private int[] slots = new int[1];
  private int taken;

  /**
   * @param member whose kind of host memory the inputs lie in
   */
  Steps(
      Backend backend,
      Device member,
      Plans plans,
      Cells cells,
      Logits logits,
      Model model,
      int microBatch) {
    this.backend = backend;
    this.plans = plans;
    this.cells = cells;
    this.logits = logits;
    this.microBatch = microBatch;
    try {
      for (int i = 0; i < IN_FLIGHT; i++) {
        inputs.add(new StepInputs(backend.device(), member, model, cells.count(), microBatch));
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(inputs);
      throw e;
    }
  }

  /** How often the most steps were in flight already, so that the caller had to wait. */
  long waits() {
    return waits;
  }

  /** Submits all tokens of a batch, for which there are cells, and room for their logits. */
  void submit(Batch batch) {
    taken = 0;
    if (slots.length < batch.size()) {
      slots = new int[batch.size()];
    }
    int done = 0;
    while (done < batch.size()) {
      int tokens = Buckets.next(batch.size() - done, microBatch);
      int end = Math.min(batch.size(), done + tokens);
      submit(batch, done, end, tokens);
      done = end;
    }
  }

  /** Frees the cells that the last batch took; nothing of it is in flight any more. */
  void takeBack() {
    cells.giveBack(slots, taken);
    taken = 0;
  }

  private void submit(Batch batch, int from, int to, int tokens) {
    int wanted = batch.wanted(from, to);
    int outputs = Buckets.outputs(wanted, tokens);
    StepPlan plan = plans.plan(tokens, outputs);
    StepInputs in = inputs.get(turn);
    turn = (turn + 1) % IN_FLIGHT;
    waits += in.fit(plan) ? 1 : 0;
    int output = 0;
    for (int i = from; i < to; i++) {
      int slot = cells.take(batch.position(i), batch.sequences(i));
      slots[taken++] = slot;
      in.row(i - from, batch.token(i), batch.position(i), slot, batch.sequences(i));
      if (batch.isWanted(i)) {
        in.output(output++, i - from);
      }
    }
    for (int row = to - from; row < tokens; row++) {
      in.padding(row);
    }
    for (int i = output; i < outputs; i++) {
      in.output(i, 0);
    }
    in.submit(backend, plan, cells);
    backend.submit(plan.plan());
    if (wanted > 0) {
      backend.get(plan.logits(), 0, logits.next(wanted));
    }
  }

  @Override
  public void close() {
    Closing.all(inputs);
  }
}
