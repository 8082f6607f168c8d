// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import org.jspecify.annotations.Nullable;

/** A point that becomes a submission, or is signalled, later. Thread safe. */
final class Pending {
  private boolean resolved;
  private @Nullable VulkanBackend backend;
  private long value;

  /** The host signalled it, or it was given up. */
  synchronized void resolve() {
    resolved = true;
    notifyAll();
  }

  /** It became a submission. */
  synchronized void resolve(VulkanBackend by, long at) {
    backend = by;
    value = at;
    resolve();
  }

  /** Blocks until it is signalled or submitted. */
  synchronized boolean awaitResolved(long nanos) throws InterruptedException {
    long end = System.nanoTime() + nanos;
    while (!resolved) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      wait(Math.max(1, left / 1_000_000));
    }
    return true;
  }

  synchronized @Nullable VulkanBackend backend() {
    return backend;
  }

  synchronized long value() {
    return value;
  }

  synchronized boolean isResolved() {
    return resolved;
  }

  boolean isDone() {
    VulkanBackend by = backend();
    return isResolved() && (by == null || by.isDone(value()));
  }

  boolean await(long nanos) {
    long end = System.nanoTime() + nanos;
    try {
      if (!awaitResolved(nanos)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    VulkanBackend by = backend();
    return by == null || by.await(value(), Math.max(0, end - System.nanoTime()));
  }
}
