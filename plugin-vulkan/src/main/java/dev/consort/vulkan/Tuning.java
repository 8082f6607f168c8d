// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Adapter;

/**
 * Sizes that suit a device.
 *
 * @param lanes of a subgroup
 * @param flat workgroup of kernels with one invocation a value
 * @param row workgroup of kernels with one workgroup a row
 * @param vectorSubgroups subgroups in a workgroup of the matrix-vector kernel
 * @param vectorRows rows a subgroup computes there at most
 * @param vectorColumns columns it computes there at most
 * @param vectorLimit most columns that go through the matrix-vector kernel at all
 * @param tileThreads largest workgroup of the matrix kernel
 * @param streams subgroups that fill the device
 * @param matrixCores whether products of many columns round to F16 and use matrix cores
 */
record Tuning(
    int lanes,
    int flat,
    int row,
    int vectorSubgroups,
    int vectorRows,
    int vectorColumns,
    int vectorLimit,
    int tileThreads,
    int streams,
    boolean matrixCores) {

  static Tuning of(Adapter adapter) {
    int lanes = adapter.limits().subgroup();
    if (adapter.isSoftware()) {
      // An invocation is a SIMD lane here and a barrier a switch of coroutines, so that the tiles
      // of
      // shared memory are 10 to 50 times slower than the matrix-vector kernel. Mesa 22's llvmpipe
      // crashes with 32 columns.
      boolean swiftShader = adapter.driver().startsWith("SwiftShader");
      int rows = swiftShader ? 8 : 4;
      int columns = swiftShader ? 16 : 8;
      return new Tuning(lanes, 64, lanes, 1, rows, columns, Integer.MAX_VALUE, 128, 8, false);
    }
    return gpu(adapter.limits());
  }

  /** Sizes for hardware. */
  static Tuning gpu(Adapter.Limits limits) {
    int lanes = limits.subgroup();
    int row = Math.min(256, Math.min(limits.invocations(), lanes * 64));
    boolean cores = limits.halfMatrix() && limits.sharedBytes() >= 49152 && row == 256;
    return new Tuning(lanes, row, row, Math.max(1, 128 / lanes), 4, 8, 8, row, 2048, cores);
  }

  /** The same without matrix cores. */
  Tuning withoutMatrixCores() {
    return new Tuning(
        lanes,
        flat,
        row,
        vectorSubgroups,
        vectorRows,
        vectorColumns,
        vectorLimit,
        tileThreads,
        streams,
        false);
  }
}
