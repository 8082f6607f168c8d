// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import dev.consort.host.meta.MetaBackend;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.plugin.Lease;
import dev.consort.model.Model;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A model on a device: weights, cache and plans. Tokens go in as {@link Batch}es or through {@link
 * Sequence}s, logits come out. One caller at a time. The model must stay open as long as the
 * engine. While it is open it holds a {@link Lease} on its members' plugins: one that is replaced
 * or removed meanwhile is closed after the engine.
 *
 * <p>A step uploads its inputs, submits one plan and reads the logits, and blocks once. In steady
 * state it builds no plan and allocates nothing on the Java heap.
 */
public final class Engine implements AutoCloseable {
  private final Model model;
  private final MetaDevice device;
  private final EngineOptions options;
  private final Lease lease;
  private final Backend backend;
  private final Plans plans;
  private final Cells cells;
  private final List<AutoCloseable> memory = new ArrayList<>();
  private final Steps steps;
  private final OpenSequences sequences;
  private final int vocabulary;
  private final EngineReport report;
  private final CacheStore store;
  private final Logits logits;
  private long evaluations;
  private long submitting;
  private boolean closed;

  private Engine(
      Lease lease, Model model, MetaDevice device, EngineOptions options, Progress progress) {
    this.lease = lease;
    this.model = model;
    this.device = device;
    this.options = options;
    this.sequences = new OpenSequences(options.sequences());
    int context = Context.choose(model, device, options);
    int microBatch = Math.min(options.microBatch(), context);
    this.vocabulary = model.parameters().vocabulary();
    this.backend = device.createBackend();
    this.plans = new Plans(model, backend, options, context);
    this.logits = keep(new Logits(vocabulary, device.members().getFirst()));
    try {
      int outputs = Buckets.outputs(options.sequences(), microBatch);
      Graph largest = plans.graph(microBatch, microBatch);
      // A device may refuse a size that is not the largest; what follows knows of both.
      backend.schedule(plans.graph(1, 1));
      backend.schedule(largest);
      List<Allocation> places =
          new ArrayList<>(WeightLoader.load(model, device, backend, largest, progress));
      memory.addAll(places);
      model.embedding().load();
      Allocation caches = keep(allocate(largest, Operation.State.class));
      caches.buffers().forEach(buffer -> buffer.fill((byte) 0));
      places.add(caches);
      places.add(keep(allocate(largest, Operation.Input.class)));
      this.cells = keep(new Cells(context));
      this.store = store(largest, caches);
      plans.bind(Allocation.join(places));
      plans.plan(microBatch, outputs);
      Device member = device.members().getFirst();
      this.steps = keep(new Steps(backend, member, plans, cells, logits, model, microBatch));
      this.report = Reports.of(device, backend, largest, places, context);
      logits.reserve(outputs);
    } catch (RuntimeException | Error e) {
      closed = true;
      settle();
      Closing.quietly(parts());
      throw e;
    }
  }

  private <T extends AutoCloseable> T keep(T part) {
    memory.add(part);
    return part;
  }

  /**
   * Places a model on a device and loads its weights. Blocks.
   *
   * @throws ConsortException UNSUPPORTED if the device can't run it, OUT_OF_MEMORY; CLOSED if a
   *     member's plugin was replaced or removed since the host was asked for it
   */
  public static Engine open(Model model, MetaDevice device, EngineOptions options) {
    return open(model, device, options, Progress.NONE);
  }

  /** As above; {@code progress} hears of the bytes of weights that were handed to the devices. */
  public static Engine open(
      Model model, MetaDevice device, EngineOptions options, Progress progress) {
    Lease lease = Lease.on(device.members());
    try {
      return new Engine(lease, model, device, options, progress);
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
  }

  public Model model() {
    return model;
  }

  public MetaDevice device() {
    return device;
  }

  /** How the model lies on its devices. */
  public EngineReport report() {
    return report;
  }

  /** Cells of the cache, of all sequences together. */
  public int context() {
    return cells.count();
  }

  /** Cells that are free. */
  public int freeCells() {
    return cells.free();
  }

  public int vocabulary() {
    return vocabulary;
  }

  /** Plans made so far. */
  public int plansBuilt() {
    return plans.count();
  }

  /**
   * How often evaluations have made their caller wait so far: once each, and once for each step
   * that found the most steps in flight already.
   */
  public long blockingCalls() {
    return evaluations + steps.waits();
  }

  /**
   * Nanoseconds that evaluations have kept their caller before it waits, so far: writing inputs and
   * handing plans to the devices, or to the members' threads where there is a bridge.
   */
  public long submittingNanos() {
    return submitting;
  }

  /** Waits of the members' threads for devices or each other so far; none without a bridge. */
  public long bridgeWaits() {
    return backend instanceof MetaBackend meta ? meta.bridgeWaits() : 0;
  }

  /**
   * A new, empty sequence.
   *
   * @throws ConsortException INVALID_ARGUMENT if there are as many as the options allow
   */
  public Sequence sequence() {
    return new Sequence(this, sequences.take());
  }

  /**
   * A new sequence with the tokens that one was saved with, on whatever devices, by {@link
   * Sequence#save(Path)}. Blocks.
   *
   * @throws ConsortException NOT_FOUND, IO; INVALID_FILE if it is damaged or of another model or
   *     cache type; OUT_OF_MEMORY if it does not fit the context. Nothing is changed then
   */
  public Sequence restore(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, file + ": no such file, expected a saved cache; check the path");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return restore(channel, file.toString());
    } catch (IOException e) {
      throw CacheStore.failed(file.toString(), e);
    }
  }

  /**
   * As above, from a channel, which must end with the sequence.
   *
   * @param name what errors call it
   */
  public Sequence restore(ReadableByteChannel channel, String name) {
    Sequence sequence = sequence();
    try {
      sequence.took(store.restore(sequence.id(), channel, name));
      return sequence;
    } catch (IOException e) {
      sequence.close();
      throw CacheStore.failed(name, e);
    } catch (RuntimeException | Error e) {
      sequence.close();
      throw e;
    }
  }

  /**
   * Evaluates tokens, in micro-batches, and waits for the logits that are wanted. If it throws,
   * none of the batch's tokens are in the cache.
   *
   * @return how many rows of logits there are
   * @throws ConsortException INVALID_ARGUMENT for an unknown token or sequence, OUT_OF_MEMORY if
   *     the context is full; nothing is changed then. DEVICE_FAILED
   */
  public int evaluate(Batch batch) {
    check(batch);
    logits.reserve(batch.wanted(0, batch.size()));
    try {
      long start = System.nanoTime();
      steps.submit(batch);
      submitting += System.nanoTime() - start;
      backend.synchronize();
      evaluations++;
      return logits.count();
    } catch (RuntimeException | Error e) {
      settle();
      logits.reserve(0);
      steps.takeBack();
      throw e;
    }
  }

  /**
   * F32 [vocabulary]: the logits of a row that the last call of {@link #evaluate} gave; valid until
   * the next.
   *
   * @throws ConsortException INVALID_ARGUMENT if it gave no such row
   */
  public MemorySegment logits(int row) {
    return logits.row(row);
  }

  int microBatch() {
    return Math.min(options.microBatch(), cells.count());
  }

  void forget(int sequence, int from) {
    cells.remove(sequence, from);
  }

  void share(int sequence, int other, int to) {
    cells.share(sequence, other, to);
  }

  void release(int sequence) {
    cells.remove(sequence, 0);
    sequences.release(sequence);
  }

  private void check(Batch batch) {
    sequences.check(batch);
    for (int i = 0; i < batch.size(); i++) {
      if (batch.token(i) >= model.embedding().rows()) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "found token id %d, expected 0 to %d; the model has %d tokens"
                .formatted(batch.token(i), model.embedding().rows() - 1, model.embedding().rows()));
      }
    }
    if (batch.size() > cells.free()) {
      throw new ConsortException(
          ErrorCode.OUT_OF_MEMORY,
          "%d tokens don't fit the context: %d of %d cells are free; start with a larger one (-c)"
              .formatted(batch.size(), cells.free(), cells.count()));
    }
  }

  CacheStore store() {
    return store;
  }

  private CacheStore store(Graph graph, Allocation places) {
    List<Storage> states =
        graph.leaves().stream()
            .filter(leaf -> leaf.operation() instanceof Operation.State)
            .map(places::storage)
            .toList();
    return new CacheStore(model, options, backend, states, cells);
  }

  private Allocation allocate(Graph graph, Class<? extends Operation.Leaf> kind) {
    List<Tensor> leaves =
        graph.leaves().stream().filter(leaf -> kind.isInstance(leaf.operation())).toList();
    return device.bufferType().allocate(leaves);
  }

  /** Waits for pending work and frees everything. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    settle();
    Closing.all(parts());
  }

  /** In the order of closing: the stream ends before the memory it may touch. */
  private List<AutoCloseable> parts() {
    List<AutoCloseable> parts = new ArrayList<>(List.of(plans, backend));
    parts.addAll(memory);
    parts.add(lease);
    return parts;
  }

  /** Waits until nothing is pending that touches memory of the engine's. */
  private void settle() {
    try {
      backend.synchronize();
    } catch (RuntimeException e) {
      // whoever submitted the work is told, or has been
    }
  }
}
