// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import jcuda.driver.CUresult;

/** A call of the driver that did not succeed. */
public final class CudaError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int result;

  CudaError(String call, int result) {
    super(call + " gave " + CUresult.stringFor(result));
    this.result = result;
  }

  public boolean isOutOfMemory() {
    return result == CUresult.CUDA_ERROR_OUT_OF_MEMORY;
  }

  /** Throws unless a call succeeded. */
  public static void check(String call, int result) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw new CudaError(call, result);
    }
  }
}
