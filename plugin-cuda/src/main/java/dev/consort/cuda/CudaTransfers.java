// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;

/** Rectangles. */
final class CudaTransfers {
  private CudaTransfers() {}

  static void set(
      Backend backend,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    own(backend).set2d(to, offset, toStride, from, fromStride, rowBytes, rows);
  }

  static void get(
      Backend backend,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    own(backend).get2d(from, offset, fromStride, to, toStride, rowBytes, rows);
  }

  static CudaBackend own(Backend backend) {
    if (backend instanceof CudaBackend own) {
      return own;
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "found a backend of %s, expected one of a CUDA device"
            .formatted(backend.device().info().id()));
  }
}
