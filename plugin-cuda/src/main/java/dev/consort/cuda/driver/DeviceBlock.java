// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/** Device memory of the current context. */
public final class DeviceBlock extends CUdeviceptr implements AutoCloseable {
  private final long bytes;

  public DeviceBlock(long bytes) {
    this.bytes = bytes;
    check("cuMemAlloc", JCudaDriver.cuMemAlloc(this, bytes));
  }

  public long address() {
    return getNativePointer();
  }

  /** Fills it, in the stream. */
  public void fill(byte value, Stream stream) {
    check("cuMemsetD8Async", JCudaDriver.cuMemsetD8Async(this, value, bytes, stream));
  }

  @Override
  public void close() {
    check("cuMemFree", JCudaDriver.cuMemFree(this));
  }
}
