// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.foreign.MemorySegment;

/** {@code get_tensor_2d_async}: reads a rectangle in one go. */
@Stable(since = "1.0")
public interface GetTensor2d {
  /**
   * In the backend's stream, for each {@code i < rows}, reads {@code rowBytes} bytes from the
   * tensor's byte {@code offset + i * fromStride} to {@code to + i * toStride}. The segment lives
   * as for {@link Backend#get}.
   */
  void get(
      Backend backend,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows);
}
