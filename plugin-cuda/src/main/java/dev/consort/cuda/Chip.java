// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.Gpu;

/**
 * What decides which kernels a device runs.
 *
 * @param processors multiprocessors
 * @param mostShared bytes of shared memory that a block can have
 */
record Chip(int processors, int mostShared, Copies copies) {
  /** Whether kernels can copy runs of bytes into shared memory beside their work. */
  enum Copies {
    NONE,
    BULK
  }

  private static final int BULK_COPIES = 90;

  static Chip of(Gpu gpu) {
    boolean bulk = gpu.computeCapability() >= BULK_COPIES;
    return new Chip(gpu.processors(), gpu.mostShared(), bulk ? Copies.BULK : Copies.NONE);
  }
}
