// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.foreign.MemorySegment;

/** {@code set_tensor_2d_async}: writes a rectangle in one go. */
@Stable(since = "1.0")
public interface SetTensor2d {
  /**
   * In the backend's stream, for each {@code i < rows}, writes {@code rowBytes} bytes from {@code
   * from + i * fromStride} to the tensor's byte {@code offset + i * toStride}. The segment lives as
   * for {@link Backend#set}.
   */
  void set(
      Backend backend,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows);
}
