// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

/**
 * The part of a product that a workgroup of the matrix kernel computes.
 *
 * @param depth values of a row that are in shared memory at once
 * @param perThread rows, and columns, that one invocation computes
 */
record Tile(int rows, int columns, int depth, int perThread) {
  /** For a product of that many columns. */
  static Tile of(Tuning tuning, long columns) {
    if (columns <= 32 || tuning.tileThreads() < 256) {
      return new Tile(64, 32, 32, 4);
    }
    return new Tile(64, 64, 32, 4);
  }

  private int threads() {
    return (rows / perThread) * (columns / perThread);
  }

  /** The shader's specialization constants; {@code ids} is 1 for a product by expert. */
  int[] constants(int ids) {
    return new int[] {threads(), rows, columns, ids, perThread, perThread, depth};
  }
}
