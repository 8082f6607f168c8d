// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.vulkan.vk.VulkanError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A value of a backend's timeline; or, while that backend holds work back on the host, a point of
 * what is held back; or something that the host signals.
 */
final class VulkanEvent implements Event {
  private final VulkanDevice device;
  private @Nullable VulkanBackend backend;
  private long value;
  private @Nullable Pending pending;
  private volatile boolean closed;

  VulkanEvent(VulkanDevice device) {
    this.device = device;
  }

  /** Refuses to be recorded after it was closed. */
  void requireOpen() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").device(device).build();
    }
  }

  /** The event stands for a submission. */
  synchronized void recorded(VulkanBackend by, long at) {
    backend = by;
    value = at;
    pending = null;
  }

  /** The event stands for something that has yet to be submitted or signalled. */
  synchronized void recorded(Pending later) {
    backend = null;
    pending = later;
  }

  /** Replaces a pending point by the submission it became, unless recorded again meanwhile. */
  synchronized void resolve(Pending later, VulkanBackend by, long at) {
    if (pending == later) {
      recorded(by, at);
    }
  }

  synchronized @Nullable VulkanBackend backend() {
    return backend;
  }

  synchronized long value() {
    return value;
  }

  synchronized @Nullable Pending pending() {
    return pending;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    device.poison().check();
    Pending later;
    VulkanBackend by;
    long at;
    synchronized (this) {
      later = pending;
      by = backend;
      at = value;
    }
    if (later != null) {
      return later.isDone();
    }
    try {
      return by == null || by.isDone(at);
    } catch (VulkanError e) {
      throw device.fail("event", e);
    }
  }

  @Override
  public void await(Duration timeout) {
    device.poison().check();
    long nanos = nanos(timeout);
    Pending later;
    VulkanBackend by;
    long at;
    synchronized (this) {
      later = pending;
      by = backend;
      at = value;
    }
    boolean done;
    try {
      done = later != null ? later.await(nanos) : by == null || by.await(at, nanos);
    } catch (VulkanError e) {
      throw device.fail("event", e);
    }
    if (!done) {
      device.poison().check();
      throw ConsortException.of(ErrorCode.TIMEOUT, "an event was not reached within " + timeout)
          .device(device)
          .build();
    }
  }

  private static long nanos(Duration timeout) {
    try {
      return Math.min(timeout.toNanos(), Long.MAX_VALUE / 4);
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE / 4;
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
