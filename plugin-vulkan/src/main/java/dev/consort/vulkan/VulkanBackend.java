// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

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
import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.VulkanError;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lwjgl.vulkan.VkCommandBuffer;

/**
 * A stream on one of the device's queues. Work goes to the queue at once, unless it follows a wait
 * for something that is not submitted yet; see {@link HeldBack}.
 */
final class VulkanBackend implements Backend {
  private static final long FOREVER = Long.MAX_VALUE / 4;

  private record Retired(VkCommandBuffer commands, @Nullable Block tables, long value) {}

  private final VulkanDevice device;
  private final QueueStream stream;
  private final HostTransfers transfers;
  private final HeldBack held;
  private final List<Retired> retired = new ArrayList<>();
  private boolean closed;

  VulkanBackend(VulkanDevice device) {
    this.device = device;
    this.stream = new QueueStream(device.gpu());
    this.transfers = new HostTransfers(device, stream);
    this.held =
        new HeldBack("consort " + device.info().id() + " stream", e -> device.fail("stream", e));
  }

  @Override
  public Device device() {
    return device;
  }

  QueueStream stream() {
    return stream;
  }

  @Override
  public Schedule schedule(Graph graph) {
    return Scheduling.of(graph, device.tuning());
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    check("compile");
    Checks.compile(device, graph, allocation);
    try {
      return Compiler.compile(this, schedule, allocation);
    } catch (VulkanError e) {
      throw device.translate("compile", "a plan of " + schedule.steps().size() + " steps", e);
    }
  }

  @Override
  public void submit(Plan plan) {
    check("submit");
    if (!(plan instanceof VulkanPlan own) || own.backend() != this) {
      throw bad("submit", "the plan was compiled by another backend; submit it there");
    }
    if (own.isClosed()) {
      throw closed("submit", "plan");
    }
    if (held.isActive()) {
      held.add(() -> stream.flush(own.commands()));
      return;
    }
    try {
      stream.flush(own.commands());
    } catch (VulkanError e) {
      throw device.fail("submit", e);
    }
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    check("set");
    Block block = range("set", to, offset, from.byteSize());
    long at = to.offset() + offset;
    if (from.byteSize() == 0) {
      return;
    }
    if (held.isActive() || transfers.mustWait(from)) {
      held.add(
          () -> {
            transfers.settle();
            transfers.write(block, at, from);
          });
      return;
    }
    try {
      transfers.write(block, at, from);
    } catch (VulkanError e) {
      throw device.fail("set", e);
    }
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    check("get");
    Block block = range("get", from, offset, to.byteSize());
    long at = from.offset() + offset;
    if (to.byteSize() == 0) {
      return;
    }
    if (held.isActive()) {
      held.add(() -> transfers.read(block, at, to));
      return;
    }
    try {
      transfers.read(block, at, to);
    } catch (VulkanError e) {
      throw device.fail("get", e);
    }
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    check("copy");
    Block source = range("copy", from, fromOffset, bytes);
    Block target = range("copy", to, toOffset, bytes);
    long read = from.offset() + fromOffset;
    long write = to.offset() + toOffset;
    if (bytes == 0) {
      return;
    }
    if (held.isActive()) {
      held.add(() -> stream.copy(source, read, target, write, bytes));
      return;
    }
    try {
      stream.copy(source, read, target, write, bytes);
    } catch (VulkanError e) {
      throw device.fail("copy", e);
    }
  }

  void fill(VulkanBuffers.Piece piece, byte value) {
    stream.fill(piece.block(), value);
  }

  @Override
  public void record(Event event) {
    check("record");
    VulkanEvent own = own("record", event);
    own.requireOpen();
    if (held.isActive()) {
      var later = new Pending();
      own.recorded(later);
      held.add(
          () -> {
            long value = stream.flush(null);
            later.resolve(this, value);
            own.resolve(later, this, value);
          });
      return;
    }
    try {
      own.recorded(this, stream.flush(null));
    } catch (VulkanError e) {
      throw device.fail("record", e);
    }
  }

  @Override
  public void await(Event event) {
    check("await");
    VulkanEvent own = own("await", event);
    Pending later = own.pending();
    if (later != null && !later.isDone()) {
      held.add(
          () -> {
            later.awaitResolved(FOREVER);
            device.poison().check();
            VulkanBackend by = later.backend();
            if (by != null) {
              follow(by, later.value());
            }
          });
      return;
    }
    VulkanBackend by = own.backend();
    if (by == null || by == this) {
      return;
    }
    long value = own.value();
    if (held.isActive()) {
      held.add(() -> follow(by, value));
      return;
    }
    follow(by, value);
  }

  private void follow(VulkanBackend by, long value) {
    if (by == this || (by.isDone(value) && !by.isUnsettled())) {
      return;
    }
    stream.addWait(by.stream, value);
    if (by.stream.hasReads() || by.isUnsettled()) {
      transfers.follows(by, value);
    }
  }

  /** Whether reads that this stream waits for may not be in host memory yet. */
  boolean isUnsettled() {
    return transfers.isUnsettled();
  }

  boolean isDone(long value) {
    return stream.isDone(value);
  }

  boolean await(long value, long nanos) {
    return stream.await(value, nanos);
  }

  @Override
  public void synchronize() {
    check("synchronize");
    drain();
  }

  private void drain() {
    try {
      if (held.isActive()) {
        held.await();
        device.poison().check();
      }
      stream.await(stream.flush(null), FOREVER);
    } catch (VulkanError e) {
      throw device.fail("synchronize", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ConsortException.of(ErrorCode.TIMEOUT, "interrupted while waiting for the device")
          .device(device)
          .operation("synchronize")
          .build();
    }
    collect();
  }

  /** Frees a plan's commands once its submissions are done. */
  void release(VkCommandBuffer commands, @Nullable Block tables) {
    synchronized (retired) {
      if (closed) {
        return;
      }
      retired.add(new Retired(commands, tables, held.isActive() ? FOREVER : stream.submitted()));
    }
    collect();
  }

  private void collect() {
    if (retired.isEmpty()) {
      return;
    }
    synchronized (retired) {
      boolean idle = !held.isActive() && stream.isIdle();
      retired.removeIf(
          plan -> {
            boolean free = idle || (plan.value() != FOREVER && stream.isDone(plan.value()));
            if (free) {
              free(plan);
            }
            return free;
          });
    }
  }

  private void free(Retired plan) {
    stream.pool().free(plan.commands());
    if (plan.tables() != null) {
      device.gpu().free(plan.tables());
    }
  }

  private void check(String operation) {
    device.poison().check();
    if (closed) {
      throw closed(operation, "backend");
    }
  }

  private ConsortException closed(String operation, String what) {
    return ConsortException.of(ErrorCode.CLOSED, "the " + what + " was closed")
        .device(device)
        .operation(operation)
        .build();
  }

  private ConsortException bad(String operation, String message) {
    return ConsortException.of(ErrorCode.INVALID_ARGUMENT, message)
        .device(device)
        .operation(operation)
        .build();
  }

  private VulkanEvent own(String operation, Event event) {
    if (event instanceof VulkanEvent own && own.device() == device) {
      return own;
    }
    throw ConsortException.of(
            ErrorCode.UNSUPPORTED,
            "the event belongs to " + event.device().info().id() + "; bridge it over the host")
        .device(device)
        .operation(operation)
        .build();
  }

  private Block range(String operation, Storage storage, long offset, long bytes) {
    if (!(storage.buffer() instanceof VulkanBuffers.Piece piece) || piece.owner() != device) {
      throw bad(operation, storage.tensor() + " does not lie on this device");
    }
    if (piece.isClosed()) {
      throw closed(operation, "buffer");
    }
    Checks.range(device, operation, storage, offset, bytes);
    return piece.block();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    try {
      if (device.poison().isPoisoned()) {
        held.close();
      } else {
        drain();
      }
    } finally {
      synchronized (retired) {
        retired.forEach(this::free);
        retired.clear();
        closed = true;
      }
      held.close();
      stream.close();
    }
  }
}
