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
  private final int[] ids;
  private final MemorySegment live;

  // By bucket; cut now, so that a step cuts nothing.
  private final MemorySegment[] embeddings;
  private final MemorySegment[] positions;
  private final MemorySegment[] slots;
  private final MemorySegment[] queries;
  private final MemorySegment[] temperatures;
  private final MemorySegment[] outputs;
  private final MemorySegment[] cells;

  private int tokens;
  private int bucket;
  private int outputBucket;

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
    this.ids = new int[microBatch];
    this.live = arena.allocate(4, 64);
    this.embeddings = Buckets.beginnings(place, microBatch);
    this.positions = Buckets.beginnings(arena.allocate(4L * microBatch, 64), microBatch);
    this.slots = Buckets.beginnings(arena.allocate(4L * microBatch, 64), microBatch);
    this.queries = Buckets.beginnings(arena.allocate(8L * microBatch, 64), microBatch);
    this.temperatures = Buckets.beginnings(arena.allocate(4L * microBatch, 64), microBatch);
    this.outputs = Buckets.beginnings(arena.allocate(4L * microBatch, 64), microBatch);
    this.cells = Buckets.beginnings(arena.allocate(8L * cellCount, 64), cellCount);
  }

  /**
   * Makes the segments fit a plan.
   *
   * @return whether it had to wait for the last step that used them
   */
  boolean fit(StepPlan plan) {
    boolean waits = !read.isDone();
    if (waits) {
      read.await(LIMIT);
    }
    tokens = plan.tokens();
    bucket = Buckets.index(tokens);
    outputBucket = Buckets.index(plan.outputs());
    return waits;
  }

  void row(int row, int token, int position, int slot, int sequences) {
    ids[row] = token;
    positions[bucket].setAtIndex(INT, row, position);
    slots[bucket].setAtIndex(INT, row, slot);
    queries[bucket].setAtIndex(INT, 2L * row, position);
    queries[bucket].setAtIndex(INT, 2L * row + 1, sequences);
    if (temperature.isPresent()) {
      temperatures[bucket].setAtIndex(FLOAT, row, temperature.get().at(position));
    }
  }

  /** A row of no token: it sees nothing, is written nowhere and routed to no expert. */
  void padding(int row) {
    row(row, -1, 0, -1, 0);
  }

  void output(int index, int row) {
    outputs[outputBucket].setAtIndex(INT, index, row);
  }

  /** Hands everything to the stream. */
  void submit(Backend backend, StepPlan plan, Cells table) {
    embed();
    backend.set(plan.embeddings(), 0, embeddings[bucket]);
    set(backend, plan.positions(), positions[bucket]);
    backend.set(plan.slots(), 0, slots[bucket]);
    backend.set(plan.queries(), 0, queries[bucket]);
    backend.set(plan.selected(), 0, outputs[outputBucket]);
    live.set(INT, 0, table.live());
    backend.set(plan.live(), 0, live);
    set(backend, plan.temperatures(), temperatures[bucket]);
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
    embedding.row(ids[row], embeddings[bucket], row * embedding.bytes());
  }

  private static void set(Backend backend, Optional<Storage> place, MemorySegment values) {
    if (place.isPresent()) {
      backend.set(place.get(), 0, values);
    }
  }

  /** The cells that changed, and as many more as make a power of two. */
  private void submitCells(Backend backend, StepPlan plan, Cells table) {
    int changed = table.dirtyTo() - table.dirtyFrom();
    if (changed > 0) {
      MemorySegment some = cells[Buckets.index(changed)];
      long bytes = some.byteSize();
      long from = Math.min(8L * table.dirtyFrom(), 8L * table.count() - bytes);
      MemorySegment.copy(table.table(), from, some, 0, bytes);
      backend.set(plan.cells(), from, some);
      table.clean();
    }
  }

  @Override
  public void close() {
    Closing.all(owned);
  }
}
