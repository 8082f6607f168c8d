// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Stable;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;

/**
 * A stream that refuses what can't be meant before its plugin sees it: calls after closing or after
 * the device failed, plans of other backends, operations that the device does not support, ranges
 * outside a tensor.
 */
@Stable(since = "1.0")
public abstract class BaseBackend implements Backend {
  private final BaseDevice device;
  private boolean closed;

  protected BaseBackend(BaseDevice device) {
    this.device = device;
  }

  @Override
  public final Device device() {
    return device;
  }

  /** One operation after another, unless overridden. */
  @Override
  public Schedule schedule(Graph graph) {
    check();
    return Schedule.sequential(graph);
  }

  @Override
  public final Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    check();
    Checks.compile(device, graph, allocation);
    return make(graph, schedule, allocation);
  }

  @Override
  public final void submit(Plan plan) {
    check();
    if (plan.backend() != this) {
      throw device.error(
          ErrorCode.INVALID_ARGUMENT, "submit", "found a plan of another backend; submit it there");
    }
    if (plan instanceof BasePlan own && own.isClosed()) {
      throw device.error(ErrorCode.CLOSED, "submit", "the plan was closed; compile it again");
    }
    run(plan);
  }

  @Override
  public final void set(Storage to, long offset, MemorySegment from) {
    check("set", to, offset, from.byteSize());
    write(to, offset, from);
  }

  @Override
  public final void get(Storage from, long offset, MemorySegment to) {
    check("get", from, offset, to.byteSize());
    read(from, offset, to);
  }

  @Override
  public final void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    check("copy", from, fromOffset, bytes);
    check("copy", to, toOffset, bytes);
    move(from, fromOffset, to, toOffset, bytes);
  }

  /** Compiles a graph all of whose operations the device supports. */
  protected abstract Plan make(Graph graph, Schedule schedule, Allocation allocation);

  /** Runs a plan of this backend. */
  protected abstract void run(Plan plan);

  /** Does {@link #set} within the tensor. */
  protected abstract void write(Storage to, long offset, MemorySegment from);

  /** Does {@link #get} within the tensor. */
  protected abstract void read(Storage from, long offset, MemorySegment to);

  /** Does {@link #copy} within both tensors. */
  protected abstract void move(
      Storage from, long fromOffset, Storage to, long toOffset, long bytes);

  /** Throws CLOSED after closing, DEVICE_FAILED after the device failed. */
  protected final void check() {
    if (closed) {
      throw device.error(ErrorCode.CLOSED, "backend", "the backend was closed");
    }
    device.poison().check();
  }

  private void check(String operation, Storage place, long offset, long bytes) {
    check();
    Checks.range(device, operation, place, offset, bytes);
  }

  /** Overrides wait for pending work first. */
  @Override
  public void close() {
    closed = true;
  }
}
