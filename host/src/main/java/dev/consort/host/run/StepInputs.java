// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.host.Closing;
import dev.consort.host.meta.Staging;
import dev.consort.model.Model;
import dev.consort.model.TokenEmbedding;
import dev.consort.model.arch.Temperature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Host memory for the inputs of one step: filled, handed to the stream, and free again when the
 * event after it is done.
 */
final class StepInputs implements AutoCloseable {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final Duration LIMIT = Duration.ofHours(1);

  /** So many embeddings are worth the other processors' help. */
  private static final int FEWEST_FOR_ALL_PROCESSORS = 64;

  private final TokenEmbedding embedding;
  private final Optional<Temperature> temperature;
  private final Arena arena = Arena.ofShared();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>(List.of(arena));
  private final Event read;
  private final MemorySegment cells;
  private final MemorySegment oneCell;
  private final MemorySegment live;
  private final Rows all;
  private final int[] ids;
  private MemorySegment embeddings;
  private MemorySegment positions;
  private MemorySegment slots;
  private MemorySegment queries;
  private MemorySegment outputs;
  private MemorySegment temperatures;
  private int tokens = -1;
  private int rows = -1;

  /** Memory for the most tokens and rows of logits that a step has. */
  private record Rows(
      MemorySegment embeddings,
      MemorySegment positions,
      MemorySegment slots,
      MemorySegment queries,
      MemorySegment outputs,
      MemorySegment temperatures) {
    static Rows allocate(Arena arena, MemorySegment embeddings, int most) {
      return new Rows(
          embeddings,
          arena.allocate(4L * most, 64),
          arena.allocate(4L * most, 64),
          arena.allocate(8L * most, 64),
          arena.allocate(4L * most, 64),
          arena.allocate(4L * most, 64));
    }
  }

  /**
   * @param member whose kind of host memory the embeddings lie in
   * @param cellCount cells of the cache
   * @param microBatch the most tokens of a step
   */
  StepInputs(Device device, Device member, Model model, int cellCount, int microBatch) {
    this.embedding = model.embedding();
    this.temperature = model.parameters().temperature();
    this.read = device.createEvent();
    owned.addFirst(read);
    long bytes = embedding.bytes() * microBatch;
    MemorySegment place;
    try {
      place = Staging.allocate(member, bytes, arena, owned);
    } catch (RuntimeException | Error e) {
      Closing.quietly(owned);
      throw e;
    }
    this.all = Rows.allocate(arena, place, microBatch);
    this.ids = new int[microBatch];
    this.cells = arena.allocate(8L * cellCount, 64);
    this.oneCell = cells.asSlice(0, 8);
    this.live = arena.allocate(4, 64);
    this.embeddings = MemorySegment.NULL;
    this.positions = MemorySegment.NULL;
    this.slots = MemorySegment.NULL;
    this.queries = MemorySegment.NULL;
    this.outputs = MemorySegment.NULL;
    this.temperatures = MemorySegment.NULL;
  }

  /**
   * Makes the segments fit a plan.
   *
   * @return whether it had to wait for the last step that used them
   */
  boolean fit(StepPlan plan) {
    boolean waits = !read.isDone();
    read.await(LIMIT);
    if (plan.tokens() != tokens) {
      tokens = plan.tokens();
      embeddings = all.embeddings.asSlice(0, embedding.bytes() * tokens);
      positions = all.positions.asSlice(0, 4L * tokens);
      slots = all.slots.asSlice(0, 4L * tokens);
      queries = all.queries.asSlice(0, 8L * tokens);
      temperatures = all.temperatures.asSlice(0, 4L * tokens);
    }
    if (plan.outputs() != rows) {
      rows = plan.outputs();
      outputs = all.outputs.asSlice(0, 4L * rows);
    }
    return waits;
  }

  void row(int row, int token, int position, int slot, int sequences) {
    ids[row] = token;
    positions.setAtIndex(INT, row, position);
    slots.setAtIndex(INT, row, slot);
    queries.setAtIndex(INT, 2L * row, position);
    queries.setAtIndex(INT, 2L * row + 1, sequences);
    if (temperature.isPresent()) {
      temperatures.setAtIndex(FLOAT, row, temperature.get().at(position));
    }
  }

  /** A row of no token: it sees nothing, is written nowhere and routed to no expert. */
  void padding(int row) {
    row(row, -1, 0, -1, 0);
  }

  void output(int index, int row) {
    outputs.setAtIndex(INT, index, row);
  }

  /** Hands everything to the stream. */
  void submit(Backend backend, StepPlan plan, Cells table) {
    embed();
    backend.set(plan.embeddings(), 0, embeddings);
    set(backend, plan.positions(), positions);
    backend.set(plan.slots(), 0, slots);
    backend.set(plan.queries(), 0, queries);
    backend.set(plan.selected(), 0, outputs);
    live.set(INT, 0, table.live());
    backend.set(plan.live(), 0, live);
    set(backend, plan.temperatures(), temperatures);
    submitCells(backend, plan, table);
    backend.record(read);
  }

  private void embed() {
    if (tokens >= FEWEST_FOR_ALL_PROCESSORS) {
      IntStream.range(0, tokens).parallel().forEach(this::embed);
      return;
    }
    for (int row = 0; row < tokens; row++) {
      embed(row);
    }
  }

  private void embed(int row) {
    embedding.row(ids[row], embeddings, row * embedding.bytes());
  }

  private static void set(Backend backend, Optional<Storage> place, MemorySegment values) {
    if (place.isPresent()) {
      backend.set(place.get(), 0, values);
    }
  }

  private void submitCells(Backend backend, StepPlan plan, Cells table) {
    long from = 8L * table.dirtyFrom();
    long bytes = 8L * table.dirtyTo() - from;
    if (bytes > 0) {
      MemorySegment.copy(table.table(), from, cells, 0, bytes);
      backend.set(plan.cells(), from, bytes == 8 ? oneCell : cells.asSlice(0, bytes));
      table.clean();
    }
  }

  @Override
  public void close() {
    Closing.all(owned);
  }
}
