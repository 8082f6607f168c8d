// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Allocation;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.spi.BaseBackend;
import dev.consort.vulkan.vk.Block;
import dev.consort.vulkan.vk.VulkanError;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.lwjgl.vulkan.VkCommandBuffer;

/**
 * A stream on one of the device's queues. Work goes to the queue at once, unless it follows a wait
 * for something that is not submitted yet; see {@link HeldBack}.
 */
final class VulkanBackend extends BaseBackend {
  private static final long FOREVER = Long.MAX_VALUE / 4;

  private final VulkanDevice device;
  private final QueueStream stream;
  private final HostTransfers transfers;
  private final HeldBack held;
  private final RetiredPlans retired;
  private boolean released;

  VulkanBackend(VulkanDevice device) {
    super(device);
    this.device = device;
    this.stream = new QueueStream(device.gpu());
    this.transfers = new HostTransfers(device, stream);
    this.held =
        new HeldBack("consort " + device.info().id() + " stream", e -> device.fail("stream", e));
    this.retired = new RetiredPlans(device.gpu(), stream, held);
  }

  QueueStream stream() {
    return stream;
  }

  @Override
  public Schedule schedule(Graph graph) {
    check();
    return Scheduling.of(graph, device.tuning());
  }

  @Override
  protected Plan make(Graph graph, Schedule schedule, Allocation allocation) {
    try {
      return Compiler.compile(this, schedule, allocation);
    } catch (VulkanError e) {
      throw device.translate("compile", "a plan of " + schedule.steps().size() + " steps", e);
    }
  }

  @Override
  protected void run(Plan plan) {
    VulkanPlan own = (VulkanPlan) plan;
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
  protected void write(Storage to, long offset, MemorySegment from) {
    Block block = block("set", to);
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
  protected void read(Storage from, long offset, MemorySegment to) {
    Block block = block("get", from);
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
  protected void move(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    Block source = block("copy", from);
    Block target = block("copy", to);
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

  @Override
  public void record(Event event) {
    check();
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
    check();
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
    check();
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
      throw device.error(
          ErrorCode.TIMEOUT, "synchronize", "interrupted while waiting for the device");
    }
    retired.collect();
  }

  /** Frees a plan's commands once its submissions are done. */
  void release(VkCommandBuffer commands, @Nullable Block tables) {
    retired.add(commands, tables);
  }

  private VulkanEvent own(String operation, Event event) {
    if (event instanceof VulkanEvent own && own.device() == device) {
      return own;
    }
    throw device.error(
        ErrorCode.UNSUPPORTED,
        operation,
        "the event belongs to " + event.device().info().id() + "; bridge it over the host");
  }

  private Block block(String operation, Storage storage) {
    if (storage.buffer() instanceof VulkanBuffers.Piece piece && piece.owner() == device) {
      return piece.open();
    }
    throw device.error(
        ErrorCode.INVALID_ARGUMENT, operation, storage.tensor() + " does not lie on this device");
  }

  @Override
  public void close() {
    if (released) {
      return;
    }
    super.close();
    try {
      if (device.poison().isPoisoned()) {
        held.close();
      } else {
        drain();
      }
    } finally {
      released = true;
      retired.close();
      held.close();
      stream.close();
    }
  }
}
