// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The stream of a meta device: one stream a member, fed in the same order. Where all members share
 * a comm that records, a plan is one submission a member, made by the caller's thread; else a
 * thread a member carries it through the meetings.
 */
public final class MetaBackend implements Backend {
  private final MetaDevice device;
  private final Failure failure = new Failure();
  private final Waiting waiting;
  private final List<Submitter> submitters = new ArrayList<>();
  private final Members members;
  private boolean closed;

  MetaBackend(MetaDevice device) {
    this.device = device;
    this.waiting = new Waiting(device.members().size(), failure);
    try {
      for (int m = 0; m < device.members().size(); m++) {
        submitters.add(submitter(m, device.members().get(m).createBackend()));
      }
    } catch (RuntimeException | Error e) {
      Closing.quietly(submitters);
      throw e;
    }
    this.members = new Members(device, submitters, waiting);
  }

  private Submitter submitter(int number, Backend member) {
    try {
      return new Submitter(number, member, failure, waiting);
    } catch (RuntimeException | Error e) {
      member.close();
      throw e;
    }
  }

  @Override
  public Device device() {
    return device;
  }

  /** One step: the members' own schedules are made when the graph is compiled. */
  @Override
  public Schedule schedule(Graph graph) {
    requireUsable();
    device.spread(graph);
    List<Tensor> nodes = graph.nodes().stream().filter(node -> !node.isView()).toList();
    return nodes.isEmpty()
        ? new Schedule(List.of(), 0)
        : new Schedule(List.of(new Schedule.Step(nodes, List.of())), 0);
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    requireUsable();
    Spread spread = device.spreadOfGraph(graph);
    return new MetaCompiler(this, spread, allocation, members).compile();
  }

  @Override
  public void submit(Plan plan) {
    requireUsable();
    if (!(plan instanceof MetaPlan meta) || meta.backend() != this) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "the plan was compiled by another backend");
    }
    if (meta.isClosed()) {
      throw new ConsortException(ErrorCode.CLOSED, "the plan was closed; compile it again");
    }
    for (int m = 0; m < submitters.size(); m++) {
      if (!meta.isIdle(m)) {
        submitters.get(m).run(meta);
      }
    }
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    requireUsable();
    TensorParts parts = parts(to);
    long bytes = from.byteSize();
    checkRange(to, offset, bytes);
    for (int m = 0; m < submitters.size(); m++) {
      Storage part = parts.storages()[m];
      if (parts.isRecoded(m)) {
        checkWhole(to, bytes, "in another type");
        submitters.get(m).setRecoded(part, parts.tensor(), parts.rectangles()[m], from);
      } else if (part != null && parts.isWhole() && bytes > 0) {
        submitters.get(m).set(part, offset, from);
      } else if (part != null && part.buffer().type().repacks()) {
        checkWhole(to, bytes, "repacked");
        submitters.get(m).setRepacked(part, parts.rectangles()[m], from);
      } else if (part != null) {
        for (Rectangle rectangle : Ranges.cut(parts, m, offset, bytes)) {
          submitters.get(m).set(part, rectangle, from);
        }
      }
    }
  }

  private static void checkWhole(Storage to, long bytes, String how) {
    if (bytes != to.tensor().bytes()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %d bytes for %s, expected all %d: a member keeps it %s"
              .formatted(bytes, to.tensor(), to.tensor().bytes(), how));
    }
  }

  private void checkReadable(TensorParts parts) {
    for (int m = 0; m < submitters.size(); m++) {
      if (parts.isRecoded(m)) {
        throw new ConsortException(
            ErrorCode.UNSUPPORTED,
            "%s lies in another type on %s and can't be read back; read what it was written from"
                .formatted(parts.tensor(), submitters.get(m).name()));
      }
    }
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    requireUsable();
    TensorParts parts = parts(from);
    long bytes = to.byteSize();
    checkRange(from, offset, bytes);
    checkReadable(parts);
    for (int m = 0; m < submitters.size(); m++) {
      Storage part = parts.storages()[m];
      if (part != null) {
        for (Rectangle rectangle : Ranges.cut(parts, m, offset, bytes)) {
          submitters.get(m).get(part, rectangle, to);
        }
        if (parts.isWhole()) {
          return;
        }
      }
    }
  }

  /** Between tensors that lie alike each member copies its own piece; else through host memory. */
  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    requireUsable();
    checkRange(from, fromOffset, bytes);
    checkRange(to, toOffset, bytes);
    new MetaCopy(this, parts(from), parts(to)).copy(from, fromOffset, to, toOffset, bytes);
  }

  @Override
  public void record(Event event) {
    requireUsable();
    if (!(event instanceof MetaEvent meta) || meta.device() != device) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED, "an event of another device can't be recorded here");
    }
    meta.record(this);
  }

  /** Events of other devices are bridged: the members' threads wait for them. */
  @Override
  public void await(Event event) {
    requireUsable();
    if (event instanceof MetaEvent meta) {
      meta.holdBack(this);
    } else {
      submitters.forEach(submitter -> submitter.await(event));
    }
  }

  @Override
  public void synchronize() {
    requireOpen();
    try {
      for (int m = 0; m < submitters.size(); m++) {
        submitters.get(m).drain();
      }
    } catch (RuntimeException e) {
      if (!failure.isSet()) {
        throw e;
      }
      // Nothing may be pending when the failure surfaces: callers free memory next.
      submitters.forEach(Submitter::settle);
    }
    // A member that hangs would be waited for once more.
    for (int m = 0; m < submitters.size() && !failure.isTimeout(); m++) {
      try {
        submitters.get(m).backend().synchronize();
      } catch (RuntimeException e) {
        failure.set(submitters.get(m).name(), e);
      }
    }
    failure.check();
  }

  /** How often a member's thread has waited for a device or another member so far. */
  public long bridgeWaits() {
    return waiting.waits();
  }

  /** Sums over members that a graph needs, which was scheduled here. */
  public long reduces(Graph graph) {
    return device.spreadOfGraph(graph).reduces();
  }

  /** What placement decided against the declaration for a graph that was scheduled here. */
  public List<String> notes(Graph graph) {
    return device.spreadOfGraph(graph).notes();
  }

  int members() {
    return submitters.size();
  }

  Submitter submitter(int member) {
    return submitters.get(member);
  }

  void check() {
    failure.check();
  }

  private void requireUsable() {
    requireOpen();
    failure.check();
  }

  private void requireOpen() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the backend was closed before; make another one")
          .device(device)
          .build();
    }
  }

  Waiting waiting() {
    return waiting;
  }

  private static TensorParts parts(Storage storage) {
    if (!(storage.buffer() instanceof MetaBuffer buffer)) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, storage.tensor() + " does not lie on this meta device");
    }
    return buffer.parts(storage);
  }

  private static void checkRange(Storage storage, long offset, long bytes) {
    if (!storage.tensor().isContiguous()
        || offset < 0
        || bytes < 0
        || offset > storage.tensor().bytes() - bytes) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%d bytes from %d on are not within a contiguous tensor: %s of %d bytes"
              .formatted(bytes, offset, storage.tensor(), storage.tensor().bytes()));
    }
  }

  /** Waits for what is pending, or drops it if a member failed, and releases the streams. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    submitters.forEach(Submitter::stop);
    List<AutoCloseable> all = new ArrayList<>();
    // A healthy member works on after another failed; a member that hangs is left to its closing.
    for (Submitter submitter : failure.isTimeout() ? List.<Submitter>of() : submitters) {
      all.add(submitter.backend()::synchronize);
    }
    all.add(members::closeComms);
    all.addAll(submitters);
    all.add(members);
    try {
      Closing.all(all);
    } catch (RuntimeException e) {
      if (!failure.isSet()) {
        throw e;
      }
    }
  }
}
