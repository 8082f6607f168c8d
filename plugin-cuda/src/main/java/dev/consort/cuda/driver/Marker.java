// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** A CUDA event of the current context, without timing. */
public final class Marker extends CUevent implements AutoCloseable {
  public Marker() {
    check("cuEventCreate", JCudaDriver.cuEventCreate(this, CUevent_flags.CU_EVENT_DISABLE_TIMING));
  }

  public void record(Stream stream) {
    check("cuEventRecord", JCudaDriver.cuEventRecord(this, stream));
  }

  /** Whether the latest recording is done; true before the first. */
  public boolean isDone() {
    int result = JCudaDriver.cuEventQuery(this);
    if (result == CUresult.CUDA_ERROR_NOT_READY) {
      return false;
    }
    check("cuEventQuery", result);
    return true;
  }

  /** Blocks until the latest recording is done. */
  public void await() {
    check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(this));
  }

  @Override
  public void close() {
    check("cuEventDestroy", JCudaDriver.cuEventDestroy(this));
  }
}
