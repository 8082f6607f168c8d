// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Pinned host memory that every device reaches, at the same address as the host. */
public final class HostBlock extends Pointer implements AutoCloseable {
  private final long bytes;

  public HostBlock(long bytes) {
    this.bytes = bytes;
    check(
        "cuMemHostAlloc",
        JCudaDriver.cuMemHostAlloc(
            this,
            bytes,
            JCudaDriver.CU_MEMHOSTALLOC_PORTABLE | JCudaDriver.CU_MEMHOSTALLOC_DEVICEMAP));
  }

  public long address() {
    return getNativePointer();
  }

  public long bytes() {
    return bytes;
  }

  public MemorySegment segment() {
    return MemorySegment.ofAddress(address()).reinterpret(bytes);
  }

  @Override
  public void close() {
    check("cuMemFreeHost", JCudaDriver.cuMemFreeHost(this));
  }
}
