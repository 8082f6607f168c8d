// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

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
import dev.consort.spi.Checks;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A stream of the CPU. Work is done by the device's team; the caller only queues it. */
final class CpuBackend implements Backend {
  /** Up to so many bytes an idle stream's caller moves by itself. */
  private static final long SMALL = 256 << 10;

  private final CpuDevice device;
  private final Executor executor;
  private final Stream stream;
  private final List<CpuComm> comms = new CopyOnWriteArrayList<>();
  private boolean closed;

  CpuBackend(CpuDevice device, String name) {
    this.device = device;
    this.executor = device.executor();
    this.stream = new Stream(name);
    executor.register();
  }

  Stream stream() {
    return stream;
  }

  Packing packing() {
    return device.packing();
  }

  void join(CpuComm comm) {
    comms.add(comm);
  }

  void leave(CpuComm comm) {
    settle();
    comms.remove(comm);
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Schedule schedule(Graph graph) {
    check();
    return PlanCompiler.schedule(graph, packing());
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    check();
    Checks.compile(device, graph, allocation);
    return PlanCompiler.compile(this, graph, schedule, allocation);
  }

  @Override
  public void submit(Plan plan) {
    check();
    if (!(plan instanceof CpuPlan mine) || mine.backend() != this) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "submit",
          "found a plan of another backend, expected one that this backend compiled");
    }
    if (mine.isClosed()) {
      throw error(ErrorCode.CLOSED, "submit", "the plan was closed; compile it again");
    }
    if (mine.segments() == 0) {
      return;
    }
    Task task = executor.begin(stream);
    task.kind = Task.Kind.RUN;
    task.plan = mine;
    executor.push(stream);
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    check();
    long bytes = from.byteSize();
    CpuBuffer buffer = range("set", to, offset, bytes);
    if (buffer.type().repacks() && packing().canHold(to.tensor().root())) {
      Task task = executor.begin(stream);
      move(task, from, bytes);
      task.packed = View.of(to.tensor(), buffer.address() + to.offset());
      task.offset = offset;
      executor.push(stream);
      return;
    }
    long at = buffer.address() + to.offset() + offset;
    if (bytes <= SMALL && stream.isDrained()) {
      MemorySegment.copy(from, 0, Memory.ALL, at, bytes);
      return;
    }
    Task task = executor.begin(stream);
    move(task, from, bytes);
    task.to = Memory.ALL;
    task.toStride = at;
    executor.push(stream);
  }

  /** A task that moves from a host segment, whichever thread may read it. */
  private static void move(Task task, MemorySegment from, long bytes) {
    task.kind = Task.Kind.MOVE;
    task.from = from.isNative() ? Memory.ALL : from;
    task.fromStride = from.isNative() ? from.address() : 0;
    task.rowBytes = bytes;
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    check();
    long bytes = to.byteSize();
    CpuBuffer buffer = range("get", from, offset, bytes);
    if (buffer.type().repacks() && packing().canHold(from.tensor().root())) {
      Task task = executor.begin(stream);
      task.kind = Task.Kind.UNPACK;
      task.packed = View.of(from.tensor(), buffer.address() + from.offset());
      task.offset = offset;
      task.to = to.isNative() ? Memory.ALL.asSlice(to.address(), bytes) : to;
      executor.push(stream);
      return;
    }
    long at = buffer.address() + from.offset() + offset;
    if (bytes <= SMALL && stream.isDrained()) {
      MemorySegment.copy(Memory.ALL, at, to, 0, bytes);
      return;
    }
    Task task = executor.begin(stream);
    task.kind = Task.Kind.MOVE;
    task.from = Memory.ALL;
    task.fromStride = at;
    task.to = to.isNative() ? Memory.ALL : to;
    task.toStride = to.isNative() ? to.address() : 0;
    task.rowBytes = bytes;
    executor.push(stream);
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    check();
    CpuBuffer source = range("copy", from, fromOffset, bytes);
    CpuBuffer target = range("copy", to, toOffset, bytes);
    if (source.type().repacks() != target.type().repacks()) {
      throw error(
          ErrorCode.UNSUPPORTED,
          "copy",
          "found buffers of types %s and %s, which lay weights out differently; use get and set"
              .formatted(source.type().name(), target.type().name()));
    }
    Task task = executor.begin(stream);
    task.kind = Task.Kind.MOVE;
    task.from = Memory.ALL;
    task.fromStride = source.address() + from.offset() + fromOffset;
    task.to = Memory.ALL;
    task.toStride = target.address() + to.offset() + toOffset;
    task.rowBytes = bytes;
    executor.push(stream);
  }

  /** Queues rows of {@code rowBytes} bytes, each {@code stride} bytes behind the one before. */
  void move2d(
      MemorySegment from,
      long fromOffset,
      long fromStride,
      MemorySegment to,
      long toOffset,
      long toStride,
      long rowBytes,
      long rows) {
    check();
    Task task = executor.begin(stream);
    task.kind = Task.Kind.MOVE_2D;
    task.from = from.isNative() ? Memory.ALL : from;
    task.offset = fromOffset + (from.isNative() ? from.address() : 0);
    task.fromStride = fromStride;
    task.to = to.isNative() ? Memory.ALL : to;
    task.sequence = toOffset + (to.isNative() ? to.address() : 0);
    task.toStride = toStride;
    task.rowBytes = rowBytes;
    task.rows = rows;
    executor.push(stream);
  }

  void reduce(CpuCommMember member, long at, long elements) {
    check();
    Task task = executor.begin(stream);
    task.kind = Task.Kind.REDUCE;
    task.member = member;
    task.sequence = at;
    task.offset = at;
    task.rows = elements;
    executor.push(stream);
  }

  @Override
  public void record(Event event) {
    check();
    CpuEvent mine = mine(event, "record");
    long sequence = mine.begin();
    if (stream.isDrained()) {
      mine.complete(sequence, null);
      return;
    }
    Task task = executor.begin(stream);
    task.kind = Task.Kind.RECORD;
    task.event = mine;
    task.sequence = sequence;
    executor.push(stream);
  }

  @Override
  public void await(Event event) {
    check();
    CpuEvent mine = mine(event, "await");
    Task task = executor.begin(stream);
    task.kind = Task.Kind.AWAIT;
    task.event = mine;
    task.sequence = mine.latest();
    executor.push(stream);
  }

  @Override
  public void synchronize() {
    settle();
    check();
  }

  /** Waits until nothing is pending; gives up on members of a comm that do not come. */
  void settle() {
    Duration limit = device.collectiveTimeout();
    while (!stream.drain(limit.toNanos())) {
      CpuComm comm = stream.blockedOn;
      if (comm != null && !comm.isAwaited()) {
        comm.timeOut(limit.toSeconds() + " s");
      }
    }
    ConsortException failure = stream.failure();
    if (failure != null) {
      comms.forEach(comm -> comm.memberFailed(stream, failure));
    }
  }

  private void check() {
    if (closed) {
      throw error(ErrorCode.CLOSED, "backend", "the backend was closed");
    }
    device.poison().check();
    ConsortException failure = stream.failure();
    if (failure != null) {
      throw ConsortException.of(failure.code(), failure.getMessage()).cause(failure).build();
    }
  }

  private CpuEvent mine(Event event, String operation) {
    if (event instanceof CpuEvent mine) {
      return mine;
    }
    throw error(
        ErrorCode.UNSUPPORTED,
        operation,
        "found an event of %s, expected one of this device; wait for it on the host"
            .formatted(event.device().info().id()));
  }

  private CpuBuffer range(String operation, Storage place, long offset, long bytes) {
    CpuBuffer buffer = CpuBuffer.of(place.buffer());
    Checks.range(device, operation, place, offset, bytes);
    return buffer;
  }

  private ConsortException error(ErrorCode code, String operation, String message) {
    return ConsortException.of(code, message).device(device).operation(operation).build();
  }

  @Override
  public void close() {
    if (!closed) {
      settle();
      closed = true;
      executor.unregister();
    }
  }
}
