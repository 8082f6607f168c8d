// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

/** Memory that a plan uses while it runs, taken piece by piece. */
final class Scratch {
  private static final long ALIGNMENT = 64;
  private final long base;
  private long used;
  private long most;

  Scratch(long base) {
    this.base = base;
  }

  void reset() {
    used = 0;
  }

  /** The address of the next piece. */
  long take(long bytes) {
    long at = base + used;
    used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    most = Math.max(most, used);
    return at;
  }

  /** The most that was taken between two resets. */
  long most() {
    return most;
  }
}
